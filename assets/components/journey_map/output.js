// After the stack: best guesses under the columns, the final LayerNorm, ribbons and bars.

function guessLine(view, group, x, w, guess, where, isAnswer) {
  const { at, data } = view
  const top = at.rule
  const size = w >= 64 ? 14 : 13
  const kind = isAnswer ? "guess answer" : "guess"
  const bar = Math.min(64, w - (w >= 60 ? 20 : 8))
  if (/^[^\p{L}\p{N}]{1,2}$/u.test(guess.text)) group.append(rect(x - 12, top + 4, 24, 19, "guess-chip", { rx: 5 }))
  group.append(
    text(x, top + 19, kind, fitting(guess.text, Math.max(w - 4, 18), size, isAnswer ? 650 : 400),
      { "text-anchor": "middle", "font-size": size }),
    rect(x - bar / 2, top + 25, bar, 6, "groove", { rx: 1.5 }),
    rect(x - bar / 2, top + 25, Math.max(1, bar * guess.share), 6, isAnswer ? "fill answer" : "fill", { rx: 1.5 }),
    text(x, top + 47, "percent", share(guess.share), { "text-anchor": "middle", "font-size": w >= 44 ? 13 : 12 }))
  const hit = rect(x - w / 2, top + 2, w, 50, "hit")
  const name = filled(data.hover.guess, { where, guess: guess.text, share: share(guess.share), rank: whole(guess.rank), answer: data.answer })
  view.tip(hit, () => [name])
  return { hit, name }
}

function drawGuesses(view) {
  const { at, data } = view
  const { words, guesses } = data
  view.ground.append(rect(0, at.rule, at.width, 1, "rule"))
  const left = view.column("tokens")
  left.append(text(0, at.rule + 19, "strong", words.best_guess))
  const token = fitting(data.label, 120, 13.5, 650)
  const [before, after] = words.if_ended.split("{token}")
  left.append(make("text", { x: 0, y: at.rule + 36, class: "note" }, before,
    make("tspan", { class: "answer" }, token), after))
  const first = guessLine(view, view.column("position"), at.position + at.strip - 26, 60, guesses[0],
    words.before_stack, guesses[0].answer)
  view.column("position").append(first.hit)
  if (at.plain < 40) return drawNarrowGuesses(view)
  at.blocks.forEach(({ centre, w }, b) => {
    const group = view.column(`block${b}`)
    const made = guessLine(view, group, centre, w, guesses[b + 1], filled(words.after_block, { block: b }), guesses[b + 1].answer)
    group.append(link(view, "layers", { block: b }, made.name, made.hit))
  })
}

// Narrow columns: the guess is written where it changes, its probability stands as a column.
function drawNarrowGuesses(view) {
  const { at, data } = view
  let free = -Infinity
  at.blocks.forEach(({ x, centre, w }, b) => {
    const guess = data.guesses[b + 1]
    const group = view.column(`block${b}`)
    const height = Math.max(1, 22 * guess.share)
    const bar = Math.min(18, Math.max(3, Math.min(w, at.plain) * 0.55))
    group.append(rect(centre - bar / 2, at.rule + 30 - height, bar, height, guess.answer ? "fill answer" : "fill"))
    const next = at.blocks.findIndex((_, k) => k > b && data.guesses[k + 1].text !== guess.text)
    const until = next < 0 ? at.label - 14 : at.blocks[next].x
    if ((b === 0 || data.guesses[b].text !== guess.text) && x >= free) {
      const words = fitting(guess.text, Math.max(until - x, 26), 13, 650)
      group.append(text(x + 1, at.rule + 46, guess.answer ? "guess answer" : "guess", words, { "font-size": 13 }))
      free = x + measured(words, 13, 650) + 6
    }
    const where = filled(data.words.after_block, { block: b })
    const name = filled(data.hover.guess, { where, guess: guess.text, share: share(guess.share), rank: whole(guess.rank), answer: data.answer })
    const hit = rect(x, at.rule + 2, w, 50, "hit")
    view.tip(hit, () => [name])
    group.append(link(view, "layers", { block: b }, name, hit))
  })
}

function drawNorm(view) {
  const { at, data } = view
  const group = view.column("norm")
  group.append(make("path", { class: "norm", d: `M${at.norm} ${at.top - 4}V${at.bottom + 4}` }))
  const i = data.rows.indexOf(data.followed)
  const hit = rect(at.norm - 10, at.top - 4, 20, at.bottom - at.top + 8, "hit")
  const before = data.lengths[data.config.n_layers * data.rows.length + i]
  view.says(hit, [filled(data.hover.norm, { token: data.label, before: number(before, 1), after: number(data.scaled[i], 1) })])
  group.append(hit)
}

function barRows(view) {
  const { data } = view
  return [...data.predictions, { rest: true, share: data.rest.share, before: data.rest.before, text: filled(data.words.others, { n: whole(data.rest.n) }) }]
}

function barValue(view, bar, room) {
  if (!bar.true_next) return share(bar.share)
  const long = `${share(bar.share)} ✓ ${view.data.words.comes_next}`
  return measured(long, 13.5, 650) <= room ? long : `${share(bar.share)} ✓`
}

// With parts switched off, a ring stays where the bar ends with everything on. Returns its right edge.
function drawBefore(view, group, bar, y, height, most) {
  const x = view.at.bars + (view.at.barMost * bar.before) / most
  const r = Math.max(3, Math.min(4.5, height / 2))
  group.append(make("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r, class: "before" }))
  return x + r
}

function drawBars(view) {
  const { at, data } = view
  const group = view.column("next")
  const bars = barRows(view)
  const [vocabulary, unit] = [filled(data.words.top, { n: 10, d_vocab: whole(data.config.d_vocab) }), data.words.probability]
  group.append(text(at.label, 66, "note", vocabulary), text(at.label, 84, "note", unit))
  const step = (at.bottom - at.top - 6) / bars.length
  const height = Math.min(18, step * 0.72)
  const most = Math.max(...bars.map((bar) => Math.max(bar.share, bar.before ?? 0)), 1e-9)
  const row = at.places[data.rows.indexOf(data.followed)]
  const wide = normWidth(row)
  let from = row.y - wide / 2
  const ribbons = make("g")
  group.append(ribbons)
  bars.forEach((bar, i) => {
    const y = at.top + 4 + step * (i + 0.5)
    const w = Math.max(1, (at.barMost * bar.share) / most)
    const thick = wide * bar.share
    const [x0, x1, y0] = [at.tip - 1, at.label - 8, from + thick / 2]
    const m = (x0 + x1) / 2
    from += thick
    const kind = bar.rest ? "rest" : i === 0 ? "answer" : "plain"
    ribbons.prepend(make("path", {
      class: `ribbon ${kind}`, "stroke-width": Math.max(0.7, i === 0 ? thick * 1 : thick).toFixed(2),
      d: `M${x0} ${y0.toFixed(1)}C${m} ${y0.toFixed(1)} ${m} ${y.toFixed(1)} ${x1} ${y.toFixed(1)}`,
    }))
    const size = step >= 22 ? 15 : 13.5
    const label = bar.rest ? bar.text : fitting(bar.text, at.bars - at.label - 8, size, i === 0 ? 650 : 400)
    group.append(text(at.label, y + 5, `next ${kind}`, label, { "font-size": bar.rest ? 13 : size }),
      rect(at.bars, y - height / 2, w, height, `bar ${kind}`, { rx: Math.min(2, w / 2) }))
    if (bar.true_next) {
      group.append(rect(at.bars - 3, y - height / 2 - 3, w + 6, height + 6, "true-next", { rx: 4 }))
    }
    const ring = bar.before === undefined ? -Infinity : drawBefore(view, group, bar, y, height, most)
    const start = Math.max(at.bars + w + (bar.true_next ? 8 : 5), ring + 5)
    group.append(text(start, y + 5, `value ${kind}${bar.true_next ? " true" : ""}`, barValue(view, bar, at.width - start)))
    const before = bar.before === undefined ? "" : filled(data.hover.before, { before: share(bar.before) })
    const hit = rect(at.label - 4, y - step / 2, at.width - at.label + 4, step, "hit")
    view.says(hit, bar.rest
      ? [filled(data.hover.rest, { n: whole(data.rest.n), share: share(bar.share) }), before]
      : [filled(data.hover.bar, { token: bar.text, share: share(bar.share), logit: number(bar.logit), id: bar.id, rank: whole(bar.rank) }),
         before, bar.true_next ? filled(data.hover.true_next, { token: bar.text }) : ""])
    group.append(hit)
  })
}
