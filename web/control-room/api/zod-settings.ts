// Owns how zod works on the pages; it is imported before any schema is made. Zod would ask whether it may compile its
// checks with eval: the content policy refuses, and the browser reports each such question.
import { z } from 'zod'

z.config({ jitless: true })
