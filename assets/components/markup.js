// The words under a figure: HTML that the server wrote. Only what such words need is taken over, so that
// no text of a reader's can become more than text.

const TAGS = new Set(
  "B BR BUTTON CODE DIV I P SPAN SUB SUP TABLE TBODY TD TH THEAD TR".split(" ")
)
const ATTRIBUTES = /^(class|title|type|role|scope|tabindex|aria-[a-z]+|data-tj-[a-z]+)$/

// Puts the HTML into an element, unless it is there already.
export function fill(element, html) {
  if (element.tjHtml === html) return
  element.tjHtml = html
  const { body } = new DOMParser().parseFromString(html, "text/html")
  element.replaceChildren(...kept(body))
}

const kept = (parent) => [...parent.childNodes].map(copied).filter((node) => node)

function copied(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data)
  if (!TAGS.has(node.nodeName)) return null
  const copy = document.createElement(node.nodeName)
  for (const { name, value } of node.attributes) {
    if (ATTRIBUTES.test(name)) copy.setAttribute(name, value)
  }
  copy.append(...kept(node))
  return copy
}
