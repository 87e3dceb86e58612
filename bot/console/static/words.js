// The page's words in Japanese and English, by the browser's language.

const JAPANESE = {
  reset: "新しい会話",
  forget: "消去",
  greeting: "こんにちは。ご用件をどうぞ。",
  introduction: "社内の文書をもとにお答えし、根拠にした箇所をお見せします。",
  examples: ["経費の締め日はいつですか？", "在宅勤務の申請方法を教えて", "パスワードを忘れました", "有給休暇は何日もらえますか？"],
  question: "質問",
  placeholder: "質問を入力",
  keys: "Enter で送信・Shift + Enter で改行",
  send: "送信",
  stop: "回答を止める",
  latest: "最新の回答へ",
  close: "閉じる",
  cancel: "やめる",
  forgetTitle: "この会話を消去しますか？",
  forgetText: "質問と回答を、この画面からもサーバーからも消します。元に戻せません。",
  forgetNow: "消去する",
  thinking: "回答を準備しています",
  unsent: "送信できませんでした",
  retry: "もう一度送る",
  sending: "送信中",
  sources: "出典",
  vote: "この答えは役に立ちましたか？",
  up: "役に立った",
  down: "役に立たなかった",
  lend: "役に立った（この質問と答えを学習に使ってよい）",
  lends: "学習に使ってよい",
  source: (number, title) => `出典 ${number}「${title}」を開く`,
  open: "原文を開く",
  around: "前後も読む",
  reconnecting: "接続が切れました。つなぎ直しています…",
  ended: "この画面の利用期限が切れました。端末に表示されたアドレスをもう一度開いてください。",
  unordered: "操作を送れませんでした。もう一度お試しください。",
  unknown: "回答の担当を待っています",
  loading: "モデルを読み込んでいます…",
  ready: "回答できます",
  documents: (count) => `文書 ${count} 件`,
};

const ENGLISH = {
  reset: "New chat",
  forget: "Erase",
  greeting: "Hello. How can I help?",
  introduction: "I answer from your team’s own documents, and show you the passages I used.",
  examples: ["When is the deadline for expenses?", "How do I apply for remote work?", "I forgot my password", "How many days of leave do I have?"],
  question: "Question",
  placeholder: "Ask a question",
  keys: "Enter to send, Shift + Enter for a new line",
  send: "Send",
  stop: "Stop the answer",
  latest: "To the latest answer",
  close: "Close",
  cancel: "Keep it",
  forgetTitle: "Erase this conversation?",
  forgetText: "Your questions and the answers are removed from this page and from the server. This cannot be undone.",
  forgetNow: "Erase",
  thinking: "Preparing an answer",
  unsent: "Not sent",
  retry: "Send again",
  sending: "Sending",
  sources: "Sources",
  vote: "Was this answer helpful?",
  up: "Helpful",
  down: "Not helpful",
  lend: "Helpful (this question and answer may be used for training)",
  lends: "may be used for training",
  source: (number, title) => `Open source ${number}, ${title}`,
  open: "Open the document",
  around: "Read it in its document",
  reconnecting: "Connection lost. Reconnecting…",
  ended: "This page’s session has ended. Open the address from the terminal again.",
  unordered: "That could not be sent. Please try again.",
  unknown: "Waiting for the answering service",
  loading: "Loading the model…",
  ready: "Ready",
  documents: (count) => (count === 1 ? "1 document" : `${count} documents`),
};

export const language = navigator.language.toLowerCase().startsWith("ja") ? "ja" : "en";
export const words = language === "ja" ? JAPANESE : ENGLISH;

/** Put the words where the page asks for them. */
export function translate(page) {
  page.documentElement.lang = language;
  for (const node of page.querySelectorAll("[data-word]")) node.textContent = words[node.dataset.word];
  for (const node of page.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", words[node.dataset.label]);
    if (node.tagName === "BUTTON") node.title = words[node.dataset.label];
  }
  for (const node of page.querySelectorAll("[data-placeholder]")) node.placeholder = words[node.dataset.placeholder];
}
