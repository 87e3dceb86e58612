// The whole chat on the page: events of the stream folded into turns and notices.

import { element } from "./dom.js";
import { markdown } from "./markdown.js";
import { Turn } from "./turn.js";

const NEAR_THE_END_PX = 80;

export class Chat {
  /** `page` has the elements `turns`, `scroll`, `empty`, `stop`, `latest`, `announcer`. */
  constructor(page, actions) {
    Object.assign(this, { page, actions, turns: new Map(), caughtUp: false });
    page.latest.onclick = () => this.toEnd("smooth");
    page.scroll.addEventListener("scroll", () => this.drawLatest(), { passive: true });
    new ResizeObserver(() => this.following && this.toEnd()).observe(page.scroll);
    this.following = true;
  }

  /** Show what a person just typed, before the server has said that it has it. */
  ask(id, text) {
    const turn = this.turn(id);
    turn.asks(text, "sending");
    this.drawn(turn);
    this.toEnd("smooth");
    return turn;
  }

  sent(turn) {
    this.became(turn, "sent");
  }

  /** No answer to the post; the stream may have shown already that the question arrived. */
  notSent(turn) {
    if (turn.sent !== "sent") this.became(turn, "failed");
  }

  /** An order is no question: its notice shows what came of it. */
  remove(turn) {
    this.turns.delete(turn.id);
    turn.node.remove();
    this.drawDesk();
  }

  /** Take in one event of the stream. */
  take(event) {
    if (event.type === "cleared") return this.clear();
    if (event.type === "notice") return this.note(event);
    const turn = this.turn(clientId(event.id));
    this.say(turn.take(event));
    this.cover();
    return this.drawn(turn);
  }

  caught() {
    this.caughtUp = true;
    this.drawDesk();
  }

  became(turn, sent) {
    turn.sent = sent;
    this.drawn(turn);
  }

  turn(id) {
    if (!this.turns.has(id)) {
      this.turns.set(id, new Turn(id, this.actions));
      this.page.turns.append(this.turns.get(id).node);
    }
    return this.turns.get(id);
  }

  /** One answer may cover several questions; it stands under the last of them. */
  cover() {
    let settled = false;
    for (const turn of [...this.turns.values()].reverse()) {
      const covered = settled && !turn.settled;
      if (covered !== turn.covered) {
        turn.covered = covered;
        turn.draw();
      }
      settled ||= turn.settled;
    }
  }

  note(event) {
    this.page.turns.append(element("li", { className: "notice prose" }, markdown(event.text)));
    this.say(event.text);
    this.drawDesk();
  }

  clear() {
    this.turns.clear();
    this.page.turns.replaceChildren();
    this.page.announcer.textContent = "";
    this.drawDesk();
  }

  drawn(turn) {
    turn.draw();
    this.drawDesk();
  }

  drawDesk() {
    const turns = [...this.turns.values()];
    this.page.stop.hidden = !turns.some((turn) => turn.pending);
    this.page.empty.hidden = !this.caughtUp || turns.length > 0;
    if (this.following) this.toEnd();
    this.drawLatest();
  }

  drawLatest() {
    const { scrollHeight, scrollTop, clientHeight } = this.page.scroll;
    this.following = scrollHeight - scrollTop - clientHeight < NEAR_THE_END_PX;
    this.page.latest.hidden = this.following;
  }

  toEnd(behavior = "instant") {
    this.page.scroll.scrollTo({ top: this.page.scroll.scrollHeight, behavior });
  }

  /** Let a screen reader say only what is new, and nothing of what a reload brings back. */
  say(text) {
    if (text.trim() && this.caughtUp) this.page.announcer.textContent = text;
  }
}

/** The page's own part of a message's id (`console:{session}:{client id}`). */
function clientId(messageId) {
  return messageId.slice(messageId.lastIndexOf(":") + 1);
}
