/** Light, dark, or as the system has it: what was chosen stays on this machine. */

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const place = 'farthing.theme'

export const chosenTheme = (): Theme => themes.find((theme) => theme === localStorage.getItem(place)) ?? 'system'

export const applyTheme = (theme: Theme = chosenTheme()): void => {
  if (theme === 'system') document.documentElement.removeAttribute('data-theme')
  else document.documentElement.setAttribute('data-theme', theme)
  window.dispatchEvent(new Event('farthing-theme'))
}

export const chooseTheme = (theme: Theme): void => {
  localStorage.setItem(place, theme)
  applyTheme(theme)
}
