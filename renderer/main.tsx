/** The page's entry: takes the bridge that the preload script left. */
import { mount } from './mount.tsx'

const root = document.getElementById('root')
if (root !== null && window.farthing !== undefined) mount({ bridge: window.farthing, root })
