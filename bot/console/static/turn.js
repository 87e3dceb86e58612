// One question and its answer on the page. What happened to it is kept as values; `draw` shows them.

import { drawing, element } from "./dom.js";
import { markdown } from "./markdown.js";
import { words } from "./words.js";

// Lines, not the emoji: a machine without a font for those shows boxes. Turned over it is the other one.
const THUMB = [
  "M7 10.5V20H4.5a1 1 0 0 1-1-1v-7.5a1 1 0 0 1 1-1z",
  "M7 10.5l3.8-7.2c1.6 0 2.7 1.1 2.7 2.6v3.3h4.8a2.1 2.1 0 0 1 2.1 2.4l-1 6.6a2.1 2.1 0 0 1-2.1 1.8H7",
];

export class Turn {
  /** `actions` has `retry(turn)`, `openSource(citation)` and `vote(turn, value)`. */
  constructor(id, actions) {
    Object.assign(this, { id, actions, question: null, sent: "sent", notice: "", text: "", citations: [] });
    this.state = "asked"; // asked, writing, done, failed
    this.preview = null; // what a document says, until something of the answer is there
    this.covered = false; // an answer to a later question covers this one too
    this.node = element("li", { className: "turn" });
    this.asked = element("div", { className: "question" });
    this.answer = element("article", { className: "answer" });
    this.body = element("div", { className: "prose" });
    this.extras = element("div", { className: "extras" });
    this.voted = ""; // up, down
    this.mayTrain = false; // who finds the answer helpful lends it for training
    this.votes = element("div", { className: "votes", role: "group", ariaLabel: words.vote });
    this.buttons = ["up", "down"].map((value) => this.voteButton(value)); // they stay, and so does the focus on them
    this.votes.append(...this.buttons);
    this.answer.append(this.body, this.extras);
    this.node.append(this.asked, this.answer);
  }

  get settled() {
    return this.state === "done" || this.state === "failed";
  }

  get pending() {
    return !this.settled && !this.covered && this.sent === "sent";
  }

  /** Take in one event of the stream; the text that is new to a reader. */
  take(event) {
    if (event.type === "question") return this.asks(event.text, "sent");
    if (event.type === "voted") return this.marks(event.value);
    const before = this.text;
    if (event.type === "waiting") this.notice = event.text;
    else this.preview = event.type === "preview" ? event : null;
    if (event.type === "restarted") Object.assign(this, { text: "", notice: "", state: "asked" });
    if (event.type === "text") Object.assign(this, { text: event.text, state: "writing" });
    if (event.type === "done") Object.assign(this, { text: event.text, citations: event.citations, state: "done" });
    if (event.type === "done") this.mayTrain = event.may_train === true;
    if (event.type === "failed") Object.assign(this, { text: event.text, state: "failed" });
    if (event.type === "waiting" || event.type === "preview") return event.text;
    return this.text.startsWith(before) ? this.text.slice(before.length) : this.text;
  }

  asks(text, sent) {
    Object.assign(this, { question: text, sent });
    return "";
  }

  marks(value) {
    this.voted = value;
    return "";
  }

  draw() {
    this.asked.replaceChildren(...this.drawQuestion());
    const { text } = this.preview ?? this;
    this.body.replaceChildren(markdown(text, (number) => this.drawMark(number)));
    this.extras.replaceChildren(...this.drawWaiting(), ...this.drawSources());
    this.drawVotes();
    this.answer.hidden = !this.pending && !this.text;
    this.answer.setAttribute("aria-busy", String(this.pending));
    this.answer.dataset.state = this.preview ? "preview" : this.state;
    this.node.dataset.sent = this.sent;
  }

  drawQuestion() {
    if (this.question === null) return [];
    const said = element("p", { className: "said" }, this.question);
    if (this.sent === "sending") return [said, element("p", { className: "unsent" }, `${words.sending}…`)];
    if (this.sent === "sent") return [said];
    const again = element("button", { type: "button", className: "retry", onclick: () => this.actions.retry(this) }, words.retry);
    return [said, element("p", { className: "unsent failed" }, `${words.unsent} `, again)];
  }

  drawWaiting() {
    if (!this.pending) return [];
    const dots = element("span", { className: "dots", ariaHidden: "true" }, element("i"), element("i"), element("i"));
    if (this.text) return [element("p", { className: "waiting" }, dots)];
    return [element("p", { className: "waiting" }, dots, this.notice || element("span", { className: "unseen" }, words.thinking))];
  }

  drawSources() {
    const { citations } = this.preview ?? this;
    if (!citations.length) return [];
    const chips = citations.map((citation) => {
      const number = element("span", { className: "number" }, String(citation.number));
      const title = element("span", { className: "title" }, citation.title);
      return element("li", {}, this.sourceButton(citation, "chip", number, title));
    });
    return [element("ol", { className: "sources", ariaLabel: words.sources }, ...chips)];
  }

  /** Only an answer with sources can be voted on. */
  drawVotes() {
    const there = this.state === "done" && this.citations.length > 0;
    if (!there) this.votes.remove();
    else if (!this.votes.parentNode) this.answer.append(this.votes);
    for (const button of this.buttons) {
      const { value } = button.dataset;
      button.setAttribute("aria-pressed", String(this.voted === value));
      button.ariaLabel = button.title = value === "up" && this.mayTrain ? words.lend : words[value];
    }
    this.buttons[0].dataset.lends = this.mayTrain ? words.lends : "";
  }

  voteButton(value) {
    const button = element("button", { type: "button", className: "vote", onclick: () => this.actions.vote(this, value) });
    button.dataset.value = value;
    button.append(drawing(...THUMB));
    return button;
  }

  drawMark(number) {
    const citation = this.citations.find((one) => one.number === number);
    if (citation) return this.sourceButton(citation, "mark", String(number));
    return this.settled ? null : element("span", { className: "mark" }, String(number));
  }

  sourceButton(citation, className, ...children) {
    const label = words.source(citation.number, citation.title);
    const onclick = () => this.actions.openSource(citation);
    return element("button", { type: "button", className, ariaLabel: label, title: citation.heading, onclick }, ...children);
  }
}
