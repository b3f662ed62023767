// Loaded in front of a command: when it ends, its peak memory in bytes goes to the file descriptor on which `measure` listens.
import { writeSync } from 'node:fs'

process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS * 1024)))
