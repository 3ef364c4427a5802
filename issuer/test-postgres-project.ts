/** In each worker of the suites that run on PostgreSQL: where openBench finds the server. */
import { inject } from 'vitest'
import './test-postgres-setup.ts'

process.env.FARTHING_TEST_POSTGRES = inject('postgresUrl')
