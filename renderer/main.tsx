/** The page's entry: takes the bridge that the preload script left; without one it says calmly that it cannot start. */
import { createRoot } from 'react-dom/client'
import { mount } from './mount.tsx'
import { Calm } from './parts/CalmBoundary.tsx'

const root = document.getElementById('root')
if (root !== null) {
  if (window.farthing !== undefined) mount({ bridge: window.farthing, root })
  else createRoot(root).render(<Calm language="en" />)
}
