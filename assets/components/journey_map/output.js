// After the stack: the final LayerNorm, ribbons and bars.

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
