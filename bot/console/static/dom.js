// Elements from text: nothing here, or anywhere on the page, is ever parsed as HTML.

/** An element with properties, and with strings and nodes in it. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  Object.assign(node, properties);
  node.append(...children);
  return node;
}

/** A link that opens beside the page; null for an address that is not http or https. */
export function link(address, label) {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return null;
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label);
}
