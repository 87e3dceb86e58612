// The console's page: what is typed goes to the server, what the server's stream says is shown.

import { Chat } from "./chat.js";
import { element, link } from "./dom.js";
import { markdown } from "./markdown.js";
import { translate, words } from "./words.js";

const RECONNECT_MS = 2000;
const POST_TIMEOUT_MS = 15000;
const STATUS_MS = { ready: 30000, otherwise: 4000 };

const page = Object.fromEntries([...document.querySelectorAll("[id]")].map((node) => [node.id, node]));
const chat = new Chat(page, { retry: deliver, openSource, vote });
let lastEventId = "";

translate(document);
page.examples.append(...words.examples.map(example));
page.composer.addEventListener("submit", submit);
page.text.addEventListener("keydown", submitOnEnter);
page.text.addEventListener("input", drawComposer);
page.stop.addEventListener("click", () => order("stop"));
page.reset.addEventListener("click", () => order("reset"));
page.forget.addEventListener("click", () => page.confirm.showModal());
page["forget-now"].addEventListener("click", () => {
  page.confirm.close();
  order("forget");
});
for (const dialog of document.querySelectorAll("dialog")) closeOnDemand(dialog);
follow();
showStatus();

/** Follow the stream; the browser comes back by itself, except after an answer that was no stream. */
function follow() {
  const source = new EventSource(`/console/events${lastEventId && `?after=${lastEventId}`}`);
  source.onopen = () => showConnection("");
  source.addEventListener("caught-up", () => chat.caught());
  source.onmessage = (message) => {
    lastEventId = message.lastEventId;
    chat.take(JSON.parse(message.data));
  };
  source.onerror = () => {
    showConnection(words.reconnecting);
    if (source.readyState === EventSource.CLOSED) setTimeout(followIfKnown, RECONNECT_MS);
  };
}

async function followIfKnown() {
  const response = await fetch("/console/status").catch(() => null);
  if (response?.status === 401) showConnection(words.ended);
  else follow();
}

function submit(event) {
  event.preventDefault();
  const text = page.text.value.trim();
  if (!text) return;
  page.text.value = "";
  drawComposer();
  page.text.focus();
  deliver(chat.ask(newId(), text));
}

/** Enter sends, but not the Enter that chooses a conversion (Safari tells it by key code 229 only). */
function submitOnEnter(event) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  page.composer.requestSubmit();
}

/** Post a question; posting it again is safe, since the server knows it by its id. */
async function deliver(turn) {
  chat.became(turn, "sending");
  const response = await post("/console/messages", { id: turn.id, text: turn.question });
  if (!response?.ok) return chat.notSent(turn);
  const { kind } = await response.json();
  return kind === "command" ? chat.remove(turn) : chat.sent(turn);
}

async function order(name) {
  const response = await post("/console/orders", { name });
  if (!response?.ok) showToast(words.unordered);
}

/** The stream says when the vote counts; the button is shown as pressed until then, or until it was not sent. */
async function vote(turn, value) {
  const before = turn.voted;
  turn.marks(value);
  turn.drawVotes();
  const response = await post("/console/orders", { name: "vote", id: turn.id, value, may_train: turn.mayTrain });
  if (response?.ok) return;
  turn.marks(before);
  turn.drawVotes();
  showToast(words.unordered);
}

/** The response, or null when none came. */
async function post(path, content) {
  const headers = { "Content-Type": "application/json" };
  const signal = AbortSignal.timeout(POST_TIMEOUT_MS);
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(content), signal }).catch(() => null);
  if (response?.status === 401) showConnection(words.ended);
  return response;
}

/** 128 random bits; crypto.randomUUID exists on https and localhost only. */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function openSource(citation) {
  page["passage-number"].textContent = String(citation.number);
  page["passage-title"].textContent = citation.title;
  page["passage-heading"].textContent = citation.heading;
  page["passage-text"].replaceChildren(markdown(citation.text));
  page["passage-place"].replaceChildren(...placesOf(citation));
  page.passage.showModal();
  page["passage-text"].scrollTop = 0;
}

/** Where a source is: a link to it, or its path, with a link to our own page of it where there is one. */
function placesOf({ uri, page }) {
  const original = link(uri, `${words.open} ↗`);
  if (original) return [original];
  const shown = page?.startsWith("/passages/") ? [link(new URL(page, location.href).href, `${words.around} ↗`), " "] : [];
  return [...shown, element("code", {}, uri)];
}

/** Its closing buttons and a click beside it close a dialog; Escape does so by itself. */
function closeOnDemand(dialog) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || "closes" in event.target.dataset) dialog.close();
  });
}

function example(text) {
  const ask = () => deliver(chat.ask(newId(), text));
  return element("li", {}, element("button", { type: "button", className: "example", onclick: ask }, text));
}

function drawComposer() {
  page.text.style.height = "auto";
  page.text.style.height = `${page.text.scrollHeight}px`;
  page.send.disabled = !page.text.value.trim();
}

async function showStatus() {
  const response = await fetch("/console/status").catch(() => null);
  const { replies = null, knowledge = null } = response?.ok ? await response.json() : {};
  const state = replies === null ? "unknown" : replies.ready ? "ready" : "loading";
  const counted = Number.isInteger(knowledge?.documents) ? [words.documents(knowledge.documents)] : [];
  page.light.dataset.state = state;
  showText(page.state, [words[state], ...counted].join(" · "));
  setTimeout(showStatus, STATUS_MS[state] ?? STATUS_MS.otherwise);
}

function showConnection(text) {
  showText(page.connection, text);
  page.connection.hidden = !text;
}

function showToast(text) {
  page.toast.textContent = text;
  page.toast.hidden = false;
  setTimeout(() => (page.toast.hidden = true), 5000);
}

/** Change a text only when it differs, so that a screen reader does not repeat it. */
function showText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
