// The seller's accent, made readable on this page's paper by day and by night (WCAG 2.2, 1.4.3): the first tone of it,
// on the way to black or white, that reads as text and under text.
const papers = { day: { ground: '#fffdf8', pole: 0 }, night: { ground: '#14312e', pole: 255 } }
const inks = ['#ffffff', '#06211d']
const ratioMin = 4.5
const steps = 50

const partsOf = (colour) => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
const luminanceOf = (colour) => {
  const [red, green, blue] = partsOf(colour).map((part) =>
    part <= 10 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
  )
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
const contrastOf = (one, other) => {
  const [dark, light] = [luminanceOf(one), luminanceOf(other)].toSorted((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}
const toward = (colour, pole, share) =>
  `#${partsOf(colour)
    .map((part) => Math.round(part + (pole - part) * share))
    .map((part) => part.toString(16).padStart(2, '0'))
    .join('')}`

const readable = (wish, { ground, pole }) => {
  for (let step = 0; ; step += 1) {
    const accent = toward(wish, pole, step / steps)
    const ink = inks.find((each) => contrastOf(each, accent) >= ratioMin)
    // Black or white itself, the last one, always fits.
    if ((ink !== undefined && contrastOf(accent, ground) >= ratioMin) || step === steps) return { accent, ink }
  }
}

/** @param wish such as "#1f6f5c" @param style of the page's root, where claim.css finds the tones */
export const wearAccent = (wish, style) => {
  for (const [time, paper] of Object.entries(papers)) {
    const { accent, ink } = readable(wish, paper)
    style.setProperty(`--accent-by-${time}`, accent)
    style.setProperty(`--on-accent-by-${time}`, ink)
    style.setProperty(`--tint-by-${time}`, toward(paper.ground, time === 'day' ? 0 : 255, 0.06))
  }
}
