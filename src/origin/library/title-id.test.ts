import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { titleId } from '#wire'
import { titleIdOf, titleNameOf } from './title-id.ts'

function media(relativePath: string): string {
  return titleIdOf({ origin: 'media', relativePath, key: relativePath })
}

describe('title ids', () => {
  it('are the file name when that loses nothing', () => {
    expect(media('my-film.mp4')).toBe('my-film')
  })

  it.for([
    ['My Film.mp4', /^my-film-[0-9a-f]{6}$/],
    ['my-film.mov', /^my-film-[0-9a-f]{6}$/],
    ['my-film.MP4', /^my-film-[0-9a-f]{6}$/],
    ['2020/my-film.mp4', /^2020-my-film-[0-9a-f]{6}$/],
    ['Été à Zürich.mp4', /^ete-a-zurich-[0-9a-f]{6}$/],
    ['日本.mp4', /^title-[0-9a-f]{6}$/],
    ['sample.mp4', /^sample-[0-9a-f]{6}$/],
  ] as const)('carry a suffix for %s', ([path, shape]) => {
    expect(media(path)).toMatch(shape)
  })

  it('keep the built-in sample its name', () => {
    expect(titleIdOf({ origin: 'builtin', relativePath: 'sample.mp4', key: 'sample.mp4' })).toBe('sample')
  })

  it('tell in-place folders of one name apart', () => {
    const ids = ['/a/films', '/b/films'].map(folder =>
      titleIdOf({ origin: 'in-place', relativePath: 'films/x.mp4', key: `${folder}/x.mp4` }),
    )
    expect(ids[0]).toMatch(/^films-x-[0-9a-f]{6}$/)
    expect(ids[0]).not.toBe(ids[1])
  })

  it('are valid and differ for any two paths', () => {
    const path = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }).map(stem => `${stem}.mp4`)
    fc.assert(
      fc.property(path, path, (a, b) => {
        expect(titleId.safeParse(media(a)).success).toBe(true)
        if (a !== b) expect(media(a)).not.toBe(media(b))
      }),
    )
  })

  it('name titles by their file', () => {
    expect(titleNameOf('films/My "Film".2.mp4')).toBe('My  Film .2')
    expect(titleNameOf('rtl\u202egnp.mp4')).toBe('rtl gnp')
  })
})
