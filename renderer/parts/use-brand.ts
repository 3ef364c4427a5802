/** The merchant's accent on the page's root (tokens.css); in high contrast there is none. */
import { useLayoutEffect } from 'react'
import { accentOn } from '../brand.ts'
import { usePage, useStatus } from './engine-context.ts'

const names = ['accent', 'deep', 'text'] as const

export function useBrand(): void {
  const wish = useStatus().branding.accent
  const highContrast = usePage((state) => state.comfort.highContrast)
  useLayoutEffect(() => {
    if (wish === undefined || highContrast) return
    const { style } = document.documentElement
    const tones = { paper: accentOn('paper', wish), night: accentOn('night', wish) }
    for (const name of names) {
      style.setProperty(`--brand-${name}`, tones.paper[name])
      style.setProperty(`--brand-night-${name}`, tones.night[name])
    }
    return () => {
      for (const name of names) {
        style.removeProperty(`--brand-${name}`)
        style.removeProperty(`--brand-night-${name}`)
      }
    }
  }, [wish, highContrast])
}
