// The row of token chips: a group of radio buttons, one of which is followed.
// All texts come from a prompt, so they are set with textContent and never as HTML.

// Chips beyond these are laid out only while they are scrolled into sight.
const NEAR = 100

function chip(text, id, position) {
  const button = document.createElement("button")
  button.type = "button"
  button.className = position < NEAR ? "chip" : "chip far"
  button.setAttribute("role", "radio")
  button.dataset.position = position
  button.title = `“${text}”: token ${position}, ID ${id}. Click to follow.`
  button.setAttribute("aria-label", `${text}, token ${position}, ID ${id}`)
  for (const [name, value] of [["text", text], ["id", id]]) {
    const part = document.createElement("span")
    part.className = name
    part.textContent = value
    button.append(part)
  }
  return button
}

function mark(row, position, focus) {
  for (const old of row.querySelectorAll('[aria-checked="true"]')) {
    old.setAttribute("aria-checked", "false")
    old.tabIndex = -1
  }
  const chosen = row.children[position]
  if (!chosen) return
  chosen.setAttribute("aria-checked", "true")
  chosen.tabIndex = 0
  if (focus) chosen.focus({ preventScroll: true })
  requestAnimationFrame(() => reveal(row)) // at once, it would have the page laid out an extra time
}

// Scrolls the row, and never the page, until the followed chip is whole: on its last line. Chips
// far away get their true widths only when they are near, so the next frames look again.
function reveal(row, frames = 6) {
  const chosen = row.querySelector('[aria-checked="true"]')
  if (!chosen) return
  const space = parseFloat(getComputedStyle(row).paddingTop)
  const top = chosen.offsetTop - row.offsetTop
  const bottom = top + chosen.offsetHeight
  if (top < row.scrollTop || bottom > row.scrollTop + row.clientHeight) {
    row.scrollTop = bottom + space - row.clientHeight
  }
  if (frames) requestAnimationFrame(() => reveal(row, frames - 1))
}

export default function (component) {
  const { data: [data], parentElement, setTriggerValue } = component
  let bar = parentElement.querySelector(".bar")
  if (!bar) {
    bar = document.createElement("div")
    bar.className = "bar"
    const row = document.createElement("div")
    row.className = "row"
    row.setAttribute("role", "radiogroup")
    row.setAttribute("aria-label", "Tokens of the text; the chosen one is followed")
    const note = document.createElement("span")
    note.className = "note"
    bar.append(row, note)
    parentElement.append(bar)
    // Chips wrap anew where the row gets another width, and where the font arrives after them.
    new ResizeObserver(() => reveal(row)).observe(row)
    document.fonts.ready.then(() => reveal(row))
  }
  const row = bar.querySelector(".row")
  const note = bar.querySelector(".note")
  const shown = JSON.stringify(data.tokens)
  if (row.dataset.shown !== shown) {
    row.dataset.shown = shown
    const all = document.createDocumentFragment()
    data.tokens.forEach(([text, id], position) => {
      const one = chip(text, id, position)
      one.setAttribute("aria-checked", "false")
      one.tabIndex = -1
      all.append(one)
    })
    row.replaceChildren(all)
    row.scrollTop = 0
  }
  const had = row.contains(parentElement.activeElement ?? document.activeElement)
  mark(row, data.followed, had)
  const name = document.createElement("b")
  name.textContent = data.label
  note.replaceChildren("following ", name)

  const choose = (position) => {
    mark(row, position, true)
    setTriggerValue("follow", position)
  }
  row.onclick = (event) => {
    const target = event.target.closest(".chip")
    if (target) choose(Number(target.dataset.position))
  }
  row.onkeydown = (event) => {
    const now = Number(row.querySelector('[aria-checked="true"]')?.dataset.position ?? 0)
    const last = row.children.length - 1
    const to = {
      ArrowLeft: now - 1,
      ArrowUp: now - 1,
      ArrowRight: now + 1,
      ArrowDown: now + 1,
      Home: 0,
      End: last,
    }[event.key]
    if (to === undefined) return
    event.preventDefault()
    const next = Math.min(last, Math.max(0, to))
    if (next !== now) choose(next)
  }
}
