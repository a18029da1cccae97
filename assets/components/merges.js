// A vocabulary being learned: the text as it is cut after so many merges, the pairs that were
// counted before the last of them, and the tokens learned so far. Scrubbing and playing ask the
// server for nothing; where they end is sent, so that it is in the link.
// All texts come from people, so they are set with textContent and never as HTML.

const FIRST = 700 // ms for the first merge while playing; each is a little quicker than the one before
const QUICKER = 0.94
const QUICKEST = 70
const QUIET = 250 // ms without another step, before it is sent

const make = (tag, attributes = {}, ...parts) => {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...parts)
  return element
}
const count = (n) => n.toLocaleString("en-US")
const isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches

// A text with {names} in it, as nodes: values that are elements stay elements.
const filled = (template, values) =>
  template.split(/(\{\w+\})/).map((part) => (/^\{\w+\}$/.test(part) ? (values[part.slice(1, -1)] ?? "") : part))

const mark = (text, kind) => {
  const element = make("b", { class: kind })
  element.textContent = text
  return element
}

function frame(root, words) {
  const button = (name, sign) => {
    const element = make("button", { type: "button", class: name, title: words[name], "aria-label": words[name] })
    element.textContent = sign
    return element
  }
  const back = button("back", "‹")
  const play = button("play", "▶")
  const next = button("next", "›")
  const slider = make("input", { type: "range", min: 0, step: 1, "aria-label": words.slider })
  const place = make("output", { class: "place" })
  const sentence = make("p", { class: "sentence", "aria-live": "polite" })
  const text = make("div", { class: "text", tabindex: 0, role: "group", "aria-label": words.text })
  const pairs = make("ol", { class: "pairs" })
  const vocabulary = make("div", { class: "vocabulary", tabindex: 0, role: "group", "aria-label": words.vocabulary })
  const panel = (name, note, body) =>
    make("section", { class: name }, make("h3", {}, words[`${name}_title`]), note, body)
  const notes = Object.fromEntries(["cut", "counted", "learned"].map((name) => [name, make("p", { class: "note" })]))
  root.replaceChildren(
    make("div", { class: "controls" }, back, play, next, slider, place),
    sentence,
    make("div", { class: "panels" }, panel("cut", notes.cut, text), panel("counted", notes.counted, pairs)),
    panel("learned", notes.learned, vocabulary),
  )
  return { back, play, next, slider, place, sentence, text, pairs, vocabulary, notes }
}

// The tokens of the shown text after `step` merges: label, number of units, made by this merge?
function tokens(data, step) {
  const found = []
  data.units.forEach((unit, index) => {
    const joined = data.joined[index]
    if (joined > 0 && joined <= step) {
      const last = found.at(-1)
      last.label += unit
      last.units += 1
      last.made ||= joined === step
    } else found.push({ label: unit, units: 1, made: false })
  })
  return found
}

const size = (units) => (units < 3 ? units : units < 5 ? 3 : 5)

function showText(view) {
  const { data, step } = view
  const all = document.createDocumentFragment()
  let made = 0
  for (const token of tokens(data, step)) {
    const label = data.names[token.label] ?? token.label
    const element = make("span", { class: `token size${size(token.units)}${token.made ? " made" : ""}` })
    element.textContent = label
    made += token.made
    all.append(element)
    if (label.endsWith("↵")) all.append(make("br"))
  }
  view.text.replaceChildren(all)
  view.notes.cut.textContent = filled(data.words.cut_note, {
    shown: count(data.shown), all: count(data.n_characters), made: count(made),
  }).join("")
}

function showPairs(view) {
  const { data, step } = view
  const at = Math.min(Math.max(step, 1), data.merges.length) - 1
  const found = data.pairs[at] ?? []
  const most = found[0]?.[2] ?? 1
  view.pairs.replaceChildren(...found.map(([left, right, n], row) => {
    const won = row === 0 && step > 0
    const pair = make("span", { class: "pair" })
    pair.append(mark(left, ""), " + ", mark(right, ""))
    const bar = make("i", { style: `width: ${(100 * n) / most}%` })
    const number = make("span", { class: "n" }, count(n))
    return make("li", { class: won ? "won" : "" }, pair, make("span", { class: "groove" }, bar), number)
  }))
  view.notes.counted.textContent = filled(data.words[step ? "counted_note" : "counted_first"], {
    n: count(data.n_pairs[at] ?? 0), step: count(at + 1),
  }).join("")
}

function showVocabulary(view) {
  const { data, step, vocabulary } = view
  const shown = vocabulary.children.length
  for (let i = shown; i < step; i++) {
    const chip = make("span", { class: "chip", title: `${data.words.merge} ${i + 1}` })
    chip.textContent = data.merges[i][2]
    vocabulary.append(chip)
  }
  while (vocabulary.children.length > step) vocabulary.lastChild.remove()
  vocabulary.querySelector(".newest")?.classList.remove("newest")
  vocabulary.lastElementChild?.classList.add("newest")
  vocabulary.scrollTop = vocabulary.scrollHeight
  view.notes.learned.textContent = filled(data.words.learned_note, {
    base: count(data.n_base), all: count(data.n_base + step),
  }).join("")
}

function showSentence(view) {
  const { data, step } = view
  const left = step ? data.merges[step - 1][4] : data.n_units
  const facts = { step: count(step), tokens: count(left), ratio: (left / data.n_characters).toFixed(2), n: count(data.n_characters) }
  let key = "sentence_start"
  if (!data.merges.length) key = "sentence_none"
  else if (step) {
    key = "sentence"
    const [first, second, made, n] = data.merges[step - 1]
    Object.assign(facts, { left: mark(first, ""), right: mark(second, ""), made: mark(made, "accent"), count: count(n) })
  }
  const ends = step && step === data.merges.length ? ` ${data.words[data.is_full ? "sentence_full" : "sentence_end"]}` : ""
  view.sentence.replaceChildren(...filled(data.words[key], facts), ends)
}

function show(view) {
  const { data, step } = view
  const last = data.merges.length
  view.slider.max = last
  view.slider.value = step
  view.slider.disabled = !last
  view.slider.style.setProperty("--done", `${last ? (100 * step) / last : 0}%`)
  view.place.textContent = filled(data.words.place, { step: count(step), n: count(last) }).join("")
  view.slider.setAttribute("aria-valuetext", view.place.textContent)
  view.back.disabled = step === 0
  view.next.disabled = step === last
  view.play.disabled = !last
  showText(view)
  showPairs(view)
  showVocabulary(view)
  showSentence(view)
}

function showPlay(view) {
  const on = Boolean(view.timer)
  view.play.textContent = on ? "❚❚" : "▶"
  view.play.title = view.data.words[on ? "pause" : "play"]
  view.play.setAttribute("aria-label", view.play.title)
  view.sentence.setAttribute("aria-live", on ? "off" : "polite")
}

function go(view, step) {
  view.step = Math.min(view.data.merges.length, Math.max(0, step))
  show(view)
  clearTimeout(view.quiet)
  if (!view.timer) view.quiet = setTimeout(() => send(view), QUIET)
}

function send(view) {
  if (view.step !== view.sent) view.trigger("merge", (view.sent = view.step))
}

function stop(view) {
  if (!view.timer) return
  clearTimeout(view.timer)
  view.timer = 0
  showPlay(view)
  send(view)
}

function play(view) {
  const last = view.data.merges.length
  if (isCalm()) return go(view, view.step === last ? 0 : view.step + 1)
  if (view.step === last) view.step = 0
  let pace = FIRST
  const tick = () => {
    if (!view.root.isConnected) return
    go(view, view.step + 1)
    if (view.step === last) return stop(view)
    pace = Math.max(QUICKEST, pace * QUICKER)
    view.timer = setTimeout(tick, pace)
  }
  view.timer = setTimeout(tick, pace / 2)
  showPlay(view)
}

function created(root, data) {
  const view = { root, data, step: 0, sent: -1, timer: 0, quiet: 0, ...frame(root, data.words) }
  const by = (steps) => () => {
    stop(view)
    go(view, view.step + steps)
  }
  view.back.onclick = by(-1)
  view.next.onclick = by(1)
  view.play.onclick = () => (view.timer ? stop(view) : play(view))
  view.slider.oninput = () => {
    const step = Number(view.slider.value)
    stop(view)
    go(view, step)
  }
  return view
}

export default function (component) {
  const { data: bytes, parentElement, setTriggerValue } = component
  const [now, picture] = new TextDecoder().decode(bytes).split("\n").map((line) => JSON.parse(line))
  const data = { ...now, ...picture }
  let root = parentElement.querySelector(".merges")
  if (!root) {
    root = make("div", { class: "merges" })
    parentElement.append(root)
  }
  root.view ??= created(root, data)
  const { view } = root
  view.trigger = setTriggerValue
  const isNew = view.data.id !== data.id || view.sent < 0
  if (!isNew && (data.step === view.sent || view.timer)) return
  stop(view)
  view.data = data
  view.step = view.sent = data.step
  root.classList.toggle("short", data.units.length < 120)
  if (isNew) view.vocabulary.replaceChildren()
  show(view)
  showPlay(view)
}
