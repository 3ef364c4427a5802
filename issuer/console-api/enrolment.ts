/** Enrolment codes of terminals. A terminal then proves itself by what it seals, never here. */
import { terminalId } from '../../protocol/quantities.ts'
import { enrolmentCodeInput, enrolmentCodeSchema } from '../console-contract/enrolment.ts'
import { createEnrolmentCode } from '../enrolment.ts'
import { isoTime } from '../iso-times.ts'
import { route } from './route.ts'

export const enrolmentRoutes = [
  route({
    method: 'POST',
    path: '/terminals/:terminalId/enrolment-code',
    permission: 'operate',
    // With the code goes MK_pay: an open screen must not be enough.
    fresh: true,
    summary: 'Makes a terminal’s one-time enrolment code, which stands for 15 minutes; an earlier one is void.',
    input: enrolmentCodeInput,
    output: enrolmentCodeSchema,
    handle: async ({ issuer, caller, input }) => {
      const { code, expiresAt } = await createEnrolmentCode(issuer, terminalId(input.terminalId), caller)
      return { terminalId: input.terminalId, code, expiresAt: isoTime(expiresAt) }
    },
  }),
]
