/** The frame of what stands before the shell: one card, one form. */
import { type ReactNode, useEffect } from 'react'

export function WayIn({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Farthing`
  }, [title])
  return (
    <main className="alone">
      <div className="way-in">
        <p className="brand">
          <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <circle cx="16" cy="16" r="15" />
            <path d="M12 24V9h10v3.2h-6.4v3.2h5.6v3.1h-5.6V24z" />
          </svg>
          <span>Farthing</span>
        </p>
        <section className="way-in-card" aria-labelledby="way-in-title">
          <h1 id="way-in-title">{title}</h1>
          {lead === undefined ? null : <p className="lead">{lead}</p>}
          {children}
        </section>
      </div>
    </main>
  )
}
