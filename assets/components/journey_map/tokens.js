// The columns before the stack: tokens, embedding, position; and the heads of all columns.

const CODE = 7.6 // width of a letter of a shape

function drawHeads(view) {
  const { at, data } = view
  const { stations } = data
  const head = (name, x, path, more = {}, short = false) => {
    const { title, story, brief } = stations[name]
    const words = short ? brief ?? title : title
    const group = link(view, path, {}, `${title}: ${data.words.open}`,
      text(x, 14, "title", words, more), story && !short ? text(x, 31, "story", story, more) : null)
    view.column(name).append(group)
  }
  head("tokens", 0, "tokens")
  head("embedding", at.embedding, "embeddings")
  head("position", at.position, "positions")
  head("norm", at.norm + (at.wide ? 14 : 4), "output", { "text-anchor": "middle" }, !at.wide)
  head("next", at.label, "output")
  const middle = (at.stack + at.end) / 2
  const words = filled(stations.stack.title, { n: data.config.n_layers })
  const half = measured(words, 15, 650) / 2 + 24
  view.ground.append(make("path", {
    class: "bracket",
    d: `M${at.stack} 21v-8H${middle - half}M${middle + half} 13H${at.end}v8`,
  }))
  view.ground.append(link(view, "layers", {}, `${words}: ${data.words.open}`,
    text(middle, 14, "title", words, { "text-anchor": "middle" }),
    stations.stack.story ? text(middle, 31, "story", stations.stack.story, { "text-anchor": "middle" }) : null))
  drawNotes(view)
}

// The way has three parts: text to numbers, block after block, numbers to a word.
function drawParts(view) {
  const { at, data } = view
  const places = { input: [0, at.position + at.strip], processing: [at.stack, at.end], output: [at.norm - 16, at.width] }
  for (const [name, [from, to]] of Object.entries(places)) {
    const words = data.words.parts[name]
    const start = from + measured(words, 13.5, 650) + 8
    view.ground.append(text(from, -8, "part", words), rect(start, -13, to - start, 1, "rule"))
  }
}

// What flows has one shape from the embedding to the last block, whatever the block.
function drawShapes(view) {
  const { at, data } = view
  const { words, config } = data
  const y = at.shapes
  const shape = (...sizes) => `(${sizes.map(whole).join(", ")})`
  const inside = shape(data.n_tokens, config.d_model)
  const place = (x, line, anchor = "start", hover = data.hover.shape) => {
    const mark = text(x, y, "shape", line, { "text-anchor": anchor })
    view.tip(mark, () => [filled(hover, { n: whole(data.n_tokens), d_model: whole(config.d_model), d_vocab: whole(config.d_vocab) })])
    view.ground.append(mark)
  }
  view.ground.append(text(0, y, "note", words.shape))
  place(measured(words.shape, 13.5) + 8, shape(data.n_tokens), "start", data.hover.shape_tokens)
  const centre = (name) => at[name] + at.strip / 2
  const both = inside.length * CODE + 8 <= at.position - at.embedding
  for (const x of both ? [centre("embedding"), centre("position")] : [(centre("embedding") + centre("position")) / 2]) {
    place(x, inside, "middle")
  }
  place(at.label, shape(data.n_tokens, config.d_vocab), "start", data.hover.shape_logits)
  const [half, wide] = [measured(words.never, 13.5) / 2 + 10, inside.length * CODE + 8]
  const middle = (at.stack + at.end) / 2
  if (middle - half < at.stack + wide + 12) return place(middle, inside, "middle")
  place(at.stack, inside)
  place(at.end, inside, "end")
  view.ground.append(text(middle, y, "note", words.never, { "text-anchor": "middle" }),
    rect(at.stack + wide, y - 5, middle - half - at.stack - wide, 1, "rule"),
    rect(middle + half, y - 5, at.end - wide - middle - half, 1, "rule"))
}

function drawNotes(view) {
  const { at, data } = view
  const { words, config } = data
  const note = (name, x, y, line) => view.column(name).append(text(x, y, "note", line))
  note("tokens", 0, 66, filled(data.n_tokens === 1 ? words.one_token : words.tokens, { n: whole(data.n_tokens) }))
  note("tokens", 0, 84, data.rows.length < data.n_tokens
    ? filled(at.wide ? words.shown : words.shown_brief, { from: whole(data.rows[1]), to: whole(data.rows.at(-1)) })
    : data.n_chars ? filled(words.characters, { n: whole(data.n_chars) }) : "")
  note("embedding", at.embedding, 66, filled(words.numbers, { n: whole(config.d_model) }))
  note("position", at.position, 66, filled(words.numbers, { n: whole(config.d_model) }))
  const rows = filled(data.rows.length === 1 ? words.row : words.rows, { from: data.rows[0], to: whole(data.rows.at(-1)) })
  const matrix = [` ${words.of} W`, make("tspan", { dy: 4, "font-size": 12 }, "pos")]
  view.column("position").append(make("text", { x: at.position, y: 84, class: "note" }, rows,
    ...(measured(rows, 13.5) + 50 < at.strip + 22 ? matrix : [])))
  const bar = view.column("embedding")
  const id = view.unique("div")
  const steps = data.colors.div
  view.defs.append(make("linearGradient", { id },
    ...steps.map((colour, i) => make("stop", { offset: i / (steps.length - 1), "stop-color": colour }))))
  const w = at.strip
  const limit = number(data.limit)
  bar.append(
    make("rect", { x: at.embedding, y: 80, width: w, height: 8, fill: `url(#${id})` }),
    text(at.embedding, 102, "tick", `${MINUS}${limit}`),
    text(at.embedding + w / 2, 102, "tick", "0", { "text-anchor": "middle" }),
    text(at.embedding + w, 102, "tick", `+${limit}`, { "text-anchor": "end" }))
}

function drawRows(view) {
  const { at, data } = view
  const group = view.column("tokens")
  const radios = make("g", { role: "radiogroup", "aria-label": data.words.rows_label })
  const table = colourTable(data.colors.div, 255)
  view.radios = at.places.map((row, i) => drawRow(view, row, i, table))
  radios.append(...view.radios)
  view.shelf = rect(-GUTTER, at.top - 4, GUTTER + at.chip + 6, at.bottom - at.top + 8, "shelf")
  view.stay = make("g", {}, view.shelf, radios)
  view.over.prepend(view.stay)
  stayInSight(view)
  if (data.rows.length < data.n_tokens) group.append(overview(view))
}

// Where the map scrolls sideways the chips stay, on a shelf over what passes below them.
function stayInSight(view) {
  const { scrollLeft } = view.scroll
  view.shelf.style.display = scrollLeft ? "" : "none"
  view.stay.setAttribute("transform", `translate(${scrollLeft})`)
}

function drawRow(view, row, i, table) {
  const { at, data } = view
  const { position, y, chip } = row
  const followed = position === data.followed
  const label = data.labels[i]
  const id = data.ids[i]
  const name = filled(data.hover.chip, { token: label, position, id })
  const radio = make("g", {
    class: `token${followed ? " followed" : ""}${row.open ? "" : " thin"}`, role: "radio",
    "aria-checked": followed, tabindex: followed ? 0 : -1, "aria-label": name, "data-position": position,
  })
  radio.addEventListener("click", () => view.follow(position))
  view.tip(radio, () => [name])
  if (!row.open) {
    radio.addEventListener("pointerenter", () => peek(view, row, i))
    radio.addEventListener("pointerleave", () => view.peeked?.remove())
    radio.append(rect(0, y - chip * 0.35, at.chip, chip * 0.7, "face"),
      rect(-20, y - row.pitch / 2, at.chip + 20, row.pitch, "hit"))
  } else {
    radio.append(rect(0, y - chip / 2, at.chip, chip, "face", { rx: Math.min(6, chip / 3) }))
    const size = chip >= 22 ? 15 : chip >= 16 ? 13.5 : 12
    const base = y + size * 0.34
    const room = at.chip - measured(String(id), size - 1.5) - 19
    const own = measured(data.texts[i], size, 650) <= room ? size : Math.max(12, size - 2)
    radio.append(text(-5, base, "place", position, { "text-anchor": "end", "font-size": Math.min(13, size) }),
      text(7, base, "word", fitting(data.texts[i], room, own, 650), { "font-size": own }),
      text(at.chip - 7, base, "id", id, { "text-anchor": "end", "font-size": size - 1.5 }),
      rect(-20, y - row.pitch / 2, at.chip + 20, row.pitch, "hit"))
  }
  drawStrip(view, row, i, "embedding", data.token_rows, data.token_step, table)
  drawStrip(view, row, i, "position", data.place_rows, data.place_step, table)
  if (followed) {
    view.column("tokens").append(make("path", { class: "thread", d: `M${at.chip} ${y}H${at.embedding - 2}` }))
  }
  if (row.open) {
    const sign = (x, words) => text(x, y + 5, "sign", words, { "text-anchor": "middle" })
    view.column("position").append(sign(at.embedding + at.strip + 10, "+"), sign(at.position + at.strip + 10, "="))
  }
  return radio
}

// Where rows are too thin for words, the one under the pointer opens, over its neighbours.
function peek(view, { y }, i) {
  const { at, data } = view
  view.peeked?.remove()
  view.peeked = make("g", { class: "token peek" }, rect(0, y - 9, at.chip, 18, "face", { rx: 5 }),
    text(-6, y + 4, "place", data.rows[i], { "text-anchor": "end", "font-size": 12 }),
    text(7, y + 4.5, "word", fitting(data.texts[i], at.chip - 50, 13, 650), { "font-size": 13 }),
    text(at.chip - 7, y + 4.5, "id", data.ids[i], { "text-anchor": "end", "font-size": 12 }))
  view.stay.append(view.peeked)
}

function drawStrip(view, row, i, name, values, step, table) {
  const { at, data } = view
  const x = at[name]
  const d = data.config.d_model
  const image = make("image", {
    x, y: row.y - row.chip / 2, width: at.strip, height: row.chip, preserveAspectRatio: "none",
    href: view.picture(`${name}${i}`, () => stripPicture(values, i, d, step, data.limit, table)),
    class: "strip", "data-position": row.position, role: "img",
    "aria-label": filled(data.hover[name], { token: data.labels[i], position: row.position, id: data.ids[i] }),
  })
  const group = view.column(name)
  group.append(image)
  if (row.position === data.followed) {
    group.append(rect(x - 2.5, row.y - row.chip / 2 - 2.5, at.strip + 5, row.chip + 5, "frame", { rx: 3, "data-position": row.position }))
  }
  image.addEventListener("click", () => view.follow(row.position))
  view.tip(image, (point) => {
    const lines = stripLines(d)
    const across = d / lines
    const column = Math.min(across - 1, Math.max(0, Math.floor(((point.x - x) / at.strip) * across)))
    const line = Math.min(lines - 1, Math.max(0, Math.floor(((point.y - row.y) / row.chip + 0.5) * lines)))
    const dimension = line * across + column
    const own = Array.from(values.subarray(i * d, (i + 1) * d), Math.abs)
    const top = own.map((_, k) => k).sort((a, b) => own[b] - own[a]).slice(0, 3)
    const value = values[i * d + dimension] * step
    return [
      filled(data.hover[name], { token: data.labels[i], position: row.position, id: data.ids[i] }),
      filled(data.hover.dimension, { dimension, d_model: d, value: (value > 0 ? "+" : "") + number(value, 3), top: top.join(", ") }),
    ]
  })
}

// Where the rows on screen stand in a long prompt; a click follows the token there.
function overview(view) {
  const { at, data } = view
  const x = -GUTTER
  const height = at.bottom - at.top
  const y = (position) => at.top + (height * position) / data.n_tokens
  const first = data.rows[1]
  const last = data.rows.at(-1)
  const group = make("g", { class: "overview" },
    rect(x, at.top, 5, height, "groove", { rx: 2 }),
    rect(x, y(first), 5, Math.max(4, y(last + 1) - y(first)), "shown", { rx: 2 }),
    rect(x - 1, y(data.followed) - 1, 7, 3, "here"))
  const hit = rect(x - 2, at.top, 10, height, "hit")
  const position = (point) => Math.max(0, Math.min(data.n_tokens - 1, Math.floor(((point.y - at.top) / height) * data.n_tokens)))
  hit.addEventListener("click", (event) => view.follow(position(view.point(event))))
  view.tip(hit, (point) => [filled(data.hover.overview, {
    from: whole(first), to: whole(last), n: whole(data.n_tokens), position: whole(position(point)),
  })])
  group.append(hit)
  return group
}
