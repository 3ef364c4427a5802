/** The reader's process under a name of its own: what is done to the terminal's does not hit the onlooker's. */
import '../../main/reader/pcsc-process.ts'
