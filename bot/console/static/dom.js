// Elements from text: nothing here, or anywhere on the page, is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An element with properties, and with strings and nodes in it. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  Object.assign(node, properties);
  node.append(...children);
  return node;
}

/** A drawing of lines on a square of 24; it says nothing to who cannot see it. */
export function drawing(...lines) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const line of lines) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}

/** A link that opens beside the page; null for an address that is not http or https. */
export function link(address, label) {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return null;
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label);
}
