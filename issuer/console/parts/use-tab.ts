/** Which tab is open, as a part of the address. The first is the one that is open where the address names none. */
import { useSearchParams } from 'wouter'

export const useTab = <Id extends string>(
  tabs: readonly [Id, ...Id[]],
  name = 'tab',
): readonly [Id, (tab: Id) => void] => {
  const [search, setSearch] = useSearchParams()
  const at = tabs.find((tab) => tab === search.get(name)) ?? tabs[0]
  const open = (tab: Id) =>
    setSearch(
      (old) => {
        const params = new URLSearchParams(old)
        if (tab === tabs[0]) params.delete(name)
        else params.set(name, tab)
        return params
      },
      { replace: true },
    )
  return [at, open]
}
