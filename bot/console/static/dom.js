// Elements from text: nothing here, or anywhere on the page, is ever parsed as HTML.

/** An element with properties, and with strings and nodes in it. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  Object.assign(node, properties);
  node.append(...children);
  return node;
}

/** A link that opens beside the page; plain text when the address is not http or https. */
export function link(address, label) {
  if (!isWebAddress(address)) return document.createTextNode(label);
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label);
}

/** Whether an address is one that a person can open. */
export function isWebAddress(address) {
  return /^https?:\/\//i.test(address) && URL.canParse(address);
}
