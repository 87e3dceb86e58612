// Markdown as elements: paragraphs, headings, lists, quotes, code, tables, bold, emphasis, links. Text stays text.

import { element, link } from "./dom.js";

const FENCE = /^\s*(```|~~~)/;
const HEADING = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*$/;
const ITEM = /^(\s*)([-*+•]|\d{1,3}[.)])\s+(.*)$/;
const QUOTE = /^\s{0,3}>\s?(.*)$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
const ROW = /^\s*\|(.+)\|\s*$/;
const RULED = /^\s*\|(\s*:?-+:?\s*\|)+\s*$/;
const INLINE =
  /(`+)(.+?)\1(?!`)|\*\*(?=\S)(.+?)\*\*|(?<![\w*])\*(?=[^\s*])([^*]+?)\*(?!\w)|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)|(https?:\/\/[\w\-.~:/?#@!$&*+,;=%]*[\w\-~/#=&%])|\[(\d{1,2})\]/;

/** The text as a fragment. `cite(number)` gives the element for a mark like [1], or null to leave it as it is. */
export function markdown(text, cite = () => null) {
  const fragment = document.createDocumentFragment();
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  while (lines.length) {
    const block = nextBlock(lines, cite);
    if (block) fragment.append(block);
  }
  return fragment;
}

/** Take the lines of one block from the front and give its element; null for an empty line. */
function nextBlock(lines, cite) {
  const line = lines[0];
  if (!line.trim()) return void lines.shift();
  if (FENCE.test(line)) return codeBlock(lines);
  if (HEADING.test(line)) return heading(lines, cite);
  if (RULE.test(line)) return lines.shift() && element("hr");
  if (ROW.test(line) && RULED.test(lines[1] ?? "")) return table(lines, cite);
  if (ITEM.test(line)) return list(lines, cite);
  if (QUOTE.test(line)) return quote(lines, cite);
  return paragraph(lines, cite);
}

function codeBlock(lines) {
  const fence = FENCE.exec(lines.shift())[1];
  const code = takeWhile(lines, (line) => !line.trim().startsWith(fence));
  lines.shift(); // the closing fence; none yet while the answer is being written
  return element("pre", {}, element("code", {}, code.join("\n")));
}

function heading(lines, cite) {
  const [, marks, text] = HEADING.exec(lines.shift());
  return element(`h${Math.min(marks.length + 2, 6)}`, {}, ...inline(text, cite));
}

function table(lines, cite) {
  const [head] = takeRows(lines, 1, "th", cite);
  lines.shift();
  const body = takeRows(lines, Infinity, "td", cite);
  const grid = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  return element("div", { className: "wide" }, grid);
}

function takeRows(lines, most, tag, cite) {
  let left = most;
  const rows = takeWhile(lines, (line) => ROW.test(line) && left-- > 0);
  return rows.map((line) => {
    const cells = ROW.exec(line)[1].split(/(?<!\\)\|/);
    return element("tr", {}, ...cells.map((cell) => element(tag, {}, ...inline(cell.trim(), cite))));
  });
}

function list(lines, cite) {
  const [, indent, mark] = ITEM.exec(lines[0]);
  const ordered = /\d/.test(mark);
  const whole = element(ordered ? "ol" : "ul");
  if (ordered) whole.start = Number.parseInt(mark, 10);
  while (lines.length && isItemOf(lines[0], indent.length, ordered)) {
    whole.append(listItem(lines, indent.length, cite));
    if (!lines[0]?.trim() && isItemOf(lines[1] ?? "", indent.length, ordered)) lines.shift();
  }
  return whole;
}

function isItemOf(line, indent, ordered) {
  const found = ITEM.exec(line);
  return Boolean(found) && found[1].length >= indent && found[1].length < indent + 2 && /\d/.test(found[2]) === ordered;
}

/** One item: its own line, the lines that go on below it, and a list that is deeper. */
function listItem(lines, indent, cite) {
  const item = element("li", {}, ...inline(ITEM.exec(lines.shift())[3], cite));
  const isDeeper = (line) => /^\s/.test(line) && line.search(/\S/) >= indent + 2;
  while (lines.length && isDeeper(lines[0])) {
    if (ITEM.test(lines[0])) item.append(list(lines, cite));
    else item.append(element("br"), ...inline(lines.shift().trim(), cite));
  }
  return item;
}

function quote(lines, cite) {
  const quoted = takeWhile(lines, (line) => QUOTE.test(line)).map((line) => QUOTE.exec(line)[1]);
  return element("blockquote", {}, markdown(quoted.join("\n"), cite));
}

function paragraph(lines, cite) {
  const startsAnother = (line) => [FENCE, HEADING, RULE, ITEM, QUOTE].some((block) => block.test(line));
  const own = [lines.shift(), ...takeWhile(lines, (line) => line.trim() && !startsAnother(line) && !ROW.test(line))];
  const parts = own.flatMap((line, at) => [...(at ? [element("br")] : []), ...inline(line.trim(), cite)]);
  return element("p", {}, ...parts);
}

/** A line's text as strings and elements. */
function inline(text, cite) {
  const found = INLINE.exec(text);
  if (!found) return text ? [text] : [];
  const before = text.slice(0, found.index);
  const after = text.slice(found.index + found[0].length);
  return [...(before ? [before] : []), span(found, cite), ...inline(after, cite)];
}

function span([whole, , code, bold, emphasis, label, target, address, number], cite) {
  if (code !== undefined) return element("code", {}, code);
  if (bold !== undefined) return element("strong", {}, ...inline(bold, cite));
  if (emphasis !== undefined) return element("em", {}, ...inline(emphasis, cite));
  if (label !== undefined) return link(target, label) ?? whole;
  if (address !== undefined) return link(address, address) ?? whole;
  return cite(Number(number)) ?? whole;
}

function takeWhile(lines, wanted) {
  const taken = [];
  while (lines.length && wanted(lines[0])) taken.push(lines.shift());
  return taken;
}
