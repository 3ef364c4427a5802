/** Whose kiosk this is: the logo where there is one, and the name. */
import type { ReactElement } from 'react'
import { useStatus } from './engine-context.ts'

export function Merchant(): ReactElement {
  const { merchant, branding } = useStatus()
  return (
    <span className="merchant">
      {branding.logoUrl !== undefined && <img className="merchant-logo" src={branding.logoUrl} alt="" />}
      <span className="merchant-name" dir="auto">
        {merchant}
      </span>
    </span>
  )
}
