// How long the text in the prompt box is: as one line, or as the tokens that do not fit.
// The server says it with each run, and the house again while a text is typed.
// All texts come from a prompt, so they are set with textContent and never as HTML.

const PROMPT = 'textarea[aria-label="Prompt"]'
const number = (n) => n.toLocaleString("en")

function filled(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole)
}

function element(name, className, text = "") {
  const made = document.createElement(name)
  made.className = className
  made.textContent = text
  return made
}

function drawCount(root, found, words) {
  const line = element("p", "count")
  line.title = found.problem ?? ""
  if (found.limit) {
    const over = found.n > found.limit
    line.append(element("b", over ? "n over" : "n", number(found.n)))
    line.append(filled(words.count, { limit: number(found.limit) }))
  }
  root.replaceChildren(line)
}

// The box gets the text that fits as if it had been typed and Enter pressed.
function keep(text) {
  const box = document.querySelector(PROMPT)
  const setter = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set
  setter.call(box, text)
  box.dispatchEvent(new Event("input", { bubbles: true }))
  box.focus()
  const enter = { key: "Enter", code: "Enter", bubbles: true, cancelable: true }
  requestAnimationFrame(() => box.dispatchEvent(new KeyboardEvent("keydown", enter)))
}

function chips(found, words) {
  const row = element("ul", "chips")
  const first = found.limit - found.fits.length
  if (first > 0) row.append(element("li", "more", filled(words.before, { n: number(first) })))
  const all = [...found.fits.map((token) => [token, "fits"]),
               ...found.beyond.map((token) => [token, "beyond"])]
  all.forEach(([[text, id], kind], index) => {
    const chip = element("li", kind)
    chip.append(element(kind === "fits" ? "span" : "s", "text", text), element("span", "id", id))
    chip.title = filled(words[kind], { text, position: number(first + index) })
    row.append(chip)
  })
  const rest = found.n - found.limit - found.beyond.length
  if (rest > 0) row.append(element("li", "more", filled(words.after, { n: number(rest) })))
  return row
}

function drawBeyond(root, found, words, alert) {
  if (!(found.n > found.limit)) return root.replaceChildren()
  const values = {
    n: number(found.n), limit: number(found.limit), beyond: number(found.n - found.limit),
    kept: number(found.n_kept),
  }
  const card = element("div", "card")
  const said = element("div", "said")
  said.setAttribute("role", alert ? "alert" : "status")
  said.append(element("b", "title", words.title), element("p", "", filled(found.n - found.limit === 1 ? words.said_one : words.said, values)))
  const cut = element("button", "cut", filled(words.cut, values))
  cut.type = "button"
  cut.onclick = () => keep(found.kept)
  card.append(said, chips(found, words), cut)
  root.replaceChildren(card)
}

export default function (component) {
  const { data: [data], parentElement } = component
  let root = parentElement.querySelector(".root")
  if (!root) {
    root = element("div", "root")
    parentElement.append(root)
  }
  const draw = data.part === "count" ? drawCount : drawBeyond
  draw(root, data.found, data.words, data.alert)
  const listen = ({ detail }) => {
    draw(root, detail, data.words, data.alert && detail.n === data.found.n)
  }
  document.addEventListener("tj-measured", listen)
  return () => document.removeEventListener("tj-measured", listen)
}
