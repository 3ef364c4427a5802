/** Who is signed in decides: the shell with its pages, or the way in. */
import { Component, type ReactNode, Suspense } from 'react'
import { Redirect, Route, Switch, useLocation, useSearch } from 'wouter'
import { useSessionQuery } from './api/query.ts'
import { SessionContext } from './api/session.ts'
import { openPages, pages } from './areas.ts'
import { Button } from './parts/Button.tsx'
import { PageHead } from './parts/layout.tsx'
import { EmptyState, ErrorState, Loading } from './parts/states.tsx'
import { MustChangePassword } from './shell/ChangePassword.tsx'
import { Shell } from './shell/Shell.tsx'

/** A page that fails leaves the rest standing. */
class PageBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }
  static getDerivedStateFromError() {
    return { failed: true }
  }
  override render() {
    if (!this.state.failed) return this.props.children
    return (
      <EmptyState
        title="This page failed"
        text="Its newest version may have been installed while this one was open. Nothing was changed."
      >
        <Button kind="primary" onPress={() => window.location.reload()}>
          Load it again
        </Button>
      </EmptyState>
    )
  }
}

function NotFound() {
  return (
    <>
      <PageHead title="Not found" />
      <EmptyState
        title="There is nothing at this address"
        text="It may have been mistyped, or belong to another issuer."
      />
    </>
  )
}

function Pages() {
  const [path] = useLocation()
  return (
    <PageBoundary key={path}>
      <Suspense fallback={<Loading lines={8} />}>
        <Switch>
          {pages.map(({ path: pattern, Page }) => (
            <Route key={pattern} path={pattern}>
              {(parameters) => <Page {...parameters} />}
            </Route>
          ))}
          <Route>
            <NotFound />
          </Route>
        </Switch>
      </Suspense>
    </PageBoundary>
  )
}

function SignedOut() {
  const [path] = useLocation()
  const search = useSearch()
  const then =
    path === '/' || path === '/sign-in' ? '' : `?then=${encodeURIComponent(`${path}${search && `?${search}`}`)}`
  return (
    <Suspense fallback={null}>
      <Switch>
        {openPages.map(({ path: pattern, Page }) => (
          <Route key={pattern} path={pattern}>
            <Page />
          </Route>
        ))}
        <Route>
          <Redirect to={`/sign-in${then}`} replace />
        </Route>
      </Switch>
    </Suspense>
  )
}

/** Where somebody who is signed in already goes from the way in: back to where they were sent away from. */
function SignedInAlready() {
  const then = new URLSearchParams(useSearch()).get('then')
  return <Redirect to={then?.startsWith('/') && !then.startsWith('//') ? then : '/'} replace />
}

export function App() {
  const session = useSessionQuery()
  if (session.data === undefined)
    return session.error === null ? (
      <main className="alone">
        <Loading />
      </main>
    ) : (
      <main className="alone">
        <ErrorState error={session.error} retry={() => void session.refetch()} />
      </main>
    )
  if (session.data === null) return <SignedOut />
  if (session.data.mustChangePassword)
    return (
      <SessionContext value={session.data}>
        <MustChangePassword />
      </SessionContext>
    )
  return (
    <SessionContext value={session.data}>
      <Switch>
        {openPages.map(({ path }) => (
          <Route key={path} path={path}>
            <SignedInAlready />
          </Route>
        ))}
        <Route>
          <Shell>
            <Pages />
          </Shell>
        </Route>
      </Switch>
    </SessionContext>
  )
}
