/** Who is signed in, how the console looks, and the way out. */
import { useId, useState } from 'react'
import { Link } from 'wouter'
import { useSession } from '../api/session.ts'
import { isThere } from '../areas.ts'
import { Button } from '../parts/Button.tsx'
import { Icon } from '../parts/Icon.tsx'
import { signOut } from './sign-out.ts'
import { chooseTheme, chosenTheme, type Theme, themes } from './theme.ts'

const titles: Readonly<Record<Theme, string>> = { system: 'As the system', light: 'Light', dark: 'Dark' }

function ThemeChoice() {
  const [theme, setTheme] = useState(chosenTheme)
  const name = useId()
  return (
    <fieldset className="theme-choice">
      <legend>Appearance</legend>
      {themes.map((each) => (
        <label key={each}>
          <input
            type="radio"
            name={name}
            checked={theme === each}
            onChange={() => {
              chooseTheme(each)
              setTheme(each)
            }}
          />
          {titles[each]}
        </label>
      ))}
    </fieldset>
  )
}

export function UserMenu() {
  const { user } = useSession()
  const id = useId()
  return (
    <div className="user-menu">
      <button
        type="button"
        className="button is-bare"
        popoverTarget={id}
        aria-label={`${user.name}, ${user.role}: menu`}
      >
        <Icon name="person" />
        <span className="user-name">{user.name}</span>
      </button>
      <div id={id} popover="auto" className="popover">
        <p className="popover-head">
          <strong>{user.name}</strong>
          <span>{user.role}</span>
        </p>
        <ThemeChoice />
        {isThere('OwnAccount') ? (
          <Link href="/account" className="popover-item">
            Your account
          </Link>
        ) : null}
        <Button onPress={() => void signOut()}>Sign out</Button>
      </div>
    </div>
  )
}
