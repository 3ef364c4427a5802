/** Whom a limit counts as one: an IPv4 address, or the /64 of an IPv6 one, all of which belongs to one line (RFC 6177). */
import { isIPv6 } from 'node:net'

const groupsOf = (text: string): readonly string[] => text.split(':').filter((group) => group !== '')

/** @param address as a socket or a proxy tells it; what is no IPv6 address stays as it is @returns such as "2001:db8:0:7::/64" */
export const networkOf = (address: string): string => {
  // What is written with dots is an IPv4 address that came by IPv6.
  if (!isIPv6(address) || address.includes('.')) return address
  const [start = '', end = ''] = address.replace(/%.*$/, '').split('::')
  const [before, after] = [groupsOf(start), groupsOf(end)]
  const all = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
  const network = all.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${network.join(':')}::/64`
}
