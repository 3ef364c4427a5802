/** Who may do what in the console. */

export const roles = ['viewer', 'operator', 'finance', 'admin'] as const
export type Role = (typeof roles)[number]

/** What a route asks for: `none` is for who is not signed in yet, `read` for all who are, `reconcile` for who works on cases. */
export type Permission = 'none' | 'read' | 'reconcile' | 'operate' | 'finance' | 'administer'

const granted: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: ['read'],
  operator: ['read', 'reconcile', 'operate'],
  finance: ['read', 'reconcile', 'finance'],
  admin: ['read', 'reconcile', 'operate', 'finance', 'administer'],
}

export const mayDo = (role: Role, permission: Permission): boolean =>
  permission === 'none' || granted[role].includes(permission)
