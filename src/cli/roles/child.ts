// Owns the first line of a supervised process. The supervisor wrote the settings, so they are not checked again.
import type { Settings } from '../settings.ts'
import { runSettings, SETTINGS_VARIABLE } from './main.ts'

await runSettings(JSON.parse(process.env[SETTINGS_VARIABLE] ?? '{}') as Settings)
