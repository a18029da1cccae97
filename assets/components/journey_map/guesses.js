// The best guess of the followed row after each block: written under its column, or, where columns
// are narrow, as a flag at the block where it changes.

const GUESS_FITS = 56 // width of a column from which on each has its guess written under it
const FLAG_LINES = [48, 64] // below the rule: where the words of flags stand
const FLAG_SIZE = 12.5
const FLAG_MOST = 104 // width of a flag's words

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
  const first = { x: at.position + at.strip - 56, w: 60 }
  guessLine(view, view.column("position"), first, guesses[0])
  view.column("position").append(guessHit(view, first, guesses[0], words.before_stack).hit)
  at.blocks.forEach((block, b) => {
    const group = view.column(`block${b}`)
    const guess = guesses[b + 1]
    if (block.w >= GUESS_FITS) guessLine(view, group, block, guess)
    else guessColumn(view, group, block, guess)
    const { hit, name } = guessHit(view, block, guess, filled(words.after_block, { block: b }))
    group.append(aside(link(view, "layers", { block: b }, name, hit)))
  })
  if (at.plain < GUESS_FITS) drawFlags(view)
}

function guessHit(view, { x, w }, guess, where) {
  const { at, data } = view
  const hit = rect(x, at.rule + 2, w, at.foot - at.rule - 4, "hit")
  const name = filled(data.hover.guess, { where, guess: guess.text, share: share(guess.share), rank: whole(guess.rank), answer: data.answer })
  view.tip(hit, () => [name])
  return { hit, name }
}

const kindOf = (guess, kind) => (guess.answer ? `${kind} answer` : kind)

const isMark = (words) => /^[^\p{L}\p{N}]{1,2}$/u.test(words)

// A wide column: the words, a bar and its share.
function guessLine(view, group, { x, w }, guess) {
  const centre = x + w / 2
  const top = view.at.rule
  const weight = guess.answer ? 650 : 400
  const size = [14, 13, 12].find((one) => measured(guess.text, one, weight) <= w - 4) ?? 12
  const bar = Math.min(64, w - (w >= 60 ? 20 : 8))
  if (isMark(guess.text)) group.append(rect(centre - 12, top + 4, 24, 19, "guess-chip", { rx: 5 }))
  group.append(
    text(centre, top + 19, kindOf(guess, "guess"), fitting(guess.text, w - 4, size, weight),
      { "text-anchor": "middle", "font-size": size }),
    rect(centre - bar / 2, top + 25, bar, 6, "groove", { rx: 1.5 }),
    rect(centre - bar / 2, top + 25, Math.max(1, bar * guess.share), 6, kindOf(guess, "fill"), { rx: 1.5 }),
    text(centre, top + 47, "percent", share(guess.share), { "text-anchor": "middle", "font-size": 13 }))
}

// A narrow column: its share stands as a column; the words are a flag's.
function guessColumn(view, group, { centre, w }, guess) {
  const height = Math.max(1, 22 * guess.share)
  const bar = Math.min(18, Math.max(3, w * 0.55))
  group.append(rect(centre - bar / 2, view.at.rule + 30 - height, bar, height, kindOf(guess, "fill")))
}

// A pole stands where the guess changes, with the words at its foot where they have room: first
// those of the final answer, then those that hold for most blocks.
function drawFlags(view) {
  const { at, data } = view
  const flags = guessChanges(view)
  const taken = at.open < 0 ? [] : [[at.blocks[at.open].x - 4, 0, OPEN + 8, at.foot - at.rule]]
  const fits = (places) => places.every((place) => place[0] + place[2] <= at.width && !taken.some((other) => overlap(place, other)))
  for (const flag of [...flags].sort((a, b) => b.weight - a.weight)) {
    flag.line = [1, 0].find((line) => fits(flagPlaces(flag, line)))
    if (flag.line !== undefined) taken.push(...flagPlaces(flag, flag.line))
  }
  for (const flag of flags.filter(({ line }) => line === 1)) { // up where nothing is in the way
    const own = flagPlaces(flag, 1)
    const rest = taken.filter((place) => !own.some((one) => String(one) === String(place)))
    const above = flagPlaces(flag, 0)
    if (!above.some((place) => rest.some((other) => overlap(place, other)))) {
      flag.line = 0
      taken.splice(0, taken.length, ...rest, ...above)
    }
  }
  for (const flag of flags) drawFlag(view, flag)
  const named = flags.filter(({ line }) => line !== undefined).length
  if (named === flags.length) return
  view.column("tokens").append(text(0, at.rule + 53, "note", filled(data.words.flags, { n: named, all: flags.length })))
}

// The blocks after which the best guess is another one; the open block has its own words.
function guessChanges(view) {
  const { at, data } = view
  const flags = []
  at.blocks.forEach(({ x }, b) => {
    const guess = data.guesses[b + 1]
    if (b > 0 && guess.text === data.guesses[b].text) flags.at(-1).weight += 1
    else flags.push({ block: b, x: x + 1.5, guess, weight: 1, words: fitting(guess.text, FLAG_MOST, FLAG_SIZE, guess.answer ? 650 : 400) })
  })
  flags.at(-1).weight = Infinity
  return flags.filter(({ block }) => block !== at.open)
}

// What a flag takes up, below the rule: its pole and its words, as [x, y, width, height].
function flagPlaces({ x, words, guess }, line) {
  const foot = FLAG_LINES[line]
  const wide = measured(words, FLAG_SIZE, guess.answer ? 650 : 400)
  return [[x - 1, 32, 2, foot - 32], [x, foot - 12, wide + 9, 15]]
}

const overlap = ([ax, ay, aw, ah], [bx, by, bw, bh]) => ax < bx + bw && bx < ax + aw && ay < by + bh && by < ay + ah

function drawFlag(view, { block, x, words, guess, line }) {
  const { at } = view
  const group = view.column(`block${block}`)
  const foot = at.rule + (line === undefined ? 36 : FLAG_LINES[line] + 2)
  group.append(make("path", { class: kindOf(guess, "pole"), d: `M${x} ${at.rule + 32}V${foot}` }))
  if (line === undefined) return
  group.append(text(x + 3, at.rule + FLAG_LINES[line], kindOf(guess, "guess"), words, { "font-size": FLAG_SIZE }))
}
