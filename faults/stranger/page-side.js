/**
 * Runs in the kiosk's page (watched-page.ts): records all that main said and all that stood on the screen, however short,
 * and says what can be touched. Plain script, evaluated once a page.
 */
;(() => {
  const seen = []
  let skewMs = 0
  const now = Date.now
  Date.now = () => now() + skewMs
  const fault = (what) => seen.push({ from: 'fault', what: String(what) })
  window.farthing.onState(({ screen }) => seen.push({ from: 'main', screen }))
  window.addEventListener('error', ({ message }) => fault(message))
  window.addEventListener('unhandledrejection', ({ reason }) => fault(reason))

  const phaseOf = (root) => {
    const inner = root?.querySelector('[data-phase], [data-reason]')?.dataset
    return inner?.phase ?? inner?.reason ?? ''
  }
  let last = ''
  const record = () => {
    const root = document.querySelector('[data-screen]')
    if (root === null) return fault(`no screen: ${document.body.textContent}`)
    const one = {
      from: 'page',
      screen: root.dataset.screen,
      phase: phaseOf(root),
      text: document.body.textContent ?? '',
      language: root.lang,
    }
    const told = JSON.stringify(one)
    if (told === last) return
    last = told
    seen.push(one)
  }
  new MutationObserver(record).observe(document.body, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ['data-screen', 'data-phase', 'data-reason', 'lang'],
  })
  record()

  window.stranger = {
    drain: () => seen.splice(0),
    passTime: (ms) => {
      skewMs += ms
    },
    look: () => {
      const root = document.querySelector('[data-screen]')
      const buttons = [...document.querySelectorAll('button[data-action]:not(:disabled)')]
      return {
        screen: root?.dataset.screen ?? '',
        phase: phaseOf(root),
        dialog: document.querySelector('[role="dialog"], [role="alertdialog"]') !== null,
        touchables: buttons.flatMap((button) => {
          const { left, top, width, height } = button.getBoundingClientRect()
          const [x, y] = [left + width / 2, top + height / 2]
          const there = document.elementFromPoint(x, y)
          if (there === null || !button.contains(there)) return []
          const { action, itemId, key } = button.dataset
          return [{ action, itemId, key, x, y }]
        }),
        language: document.documentElement.lang,
        contrast: document.documentElement.dataset.contrast,
        pressed: buttons.filter(({ ariaPressed }) => ariaPressed === 'true').map(({ dataset }) => dataset.action),
        width: window.innerWidth,
        height: window.innerHeight,
      }
    },
  }
})()
