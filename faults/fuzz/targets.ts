/** Every parser that reads what somebody else wrote, by group: a thread loads only the code that it is about. */
import type { Target } from './target.ts'

export type Group = 'issuer' | 'terminal' | 'printer' | 'goods' | 'card' | 'protocol' | 'planted'

export const groups: readonly Group[] = ['issuer', 'terminal', 'printer', 'goods', 'card', 'protocol']

export const targetsOf = async (group: Group): Promise<readonly Target[]> => {
  switch (group) {
    case 'issuer':
      return (await import('./targets-issuer.ts')).issuerTargets
    case 'terminal':
      return (await import('./targets-terminal.ts')).terminalTargets
    case 'printer':
      return (await import('./targets-printer.ts')).printerTargets
    case 'goods':
      return (await import('./targets-goods.ts')).goodsTargets
    case 'card':
      return (await import('./targets-card.ts')).cardTargets
    case 'protocol':
      return (await import('./targets-protocol.ts')).protocolTargets
    case 'planted':
      return (await import('./planted.ts')).plantedTargets
  }
}
