/** The console's entry. */
import { QueryClientProvider } from '@tanstack/react-query'
import { createRoot } from 'react-dom/client'
import { Router } from 'wouter'
import { App } from './App.tsx'
import { queryClient } from './api/query.ts'
import { fetchPageAhead } from './areas.ts'
import { applyTheme } from './shell/theme.ts'
import './styles.css'

applyTheme()
fetchPageAhead(window.location.pathname.replace(/^\/console/, ''))
const root = document.getElementById('root')
if (root !== null)
  createRoot(root).render(
    <QueryClientProvider client={queryClient}>
      <Router base="/console">
        <App />
      </Router>
    </QueryClientProvider>,
  )
