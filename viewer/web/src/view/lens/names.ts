/* What a slide's file name says of it: block and stain, as laboratories write them. Pure. */

export interface SlideName {
  /** "A1", "B2-3"; "" when the name says none. */
  block: string
  /** "HE", "Ki-67"; "" when the name says none. */
  stain: string
}

/** How each is written when it is recognised; compared without signs between and in capitals. */
const STAINS = (
  'HE H&E PAS PASD PASM Masson VG EVG Giemsa Gram AB ABPAS Congo Perls Reticulin Foot AFB GMS Warthin ' +
  'Ki-67 ER PR HER2 AR p16 p40 p53 p57 p63 p120 S-100 SMA Desmin Vimentin EMA CEA TTF-1 NapsinA PSA PSAP AFP HMB45 MelanA ' +
  'SOX10 GFAP NSE CgA Syn INSM1 WT1 CDX2 SATB2 PAX8 GATA3 PD-L1 MLH1 MSH2 MSH6 PMS2 ALK ROS1 EGFR BRAF Bcl-2 Bcl-6 c-Myc ' +
  'EBER MUM1 TdT MPO Dog-1 Calretinin D2-40 E-cadherin β-catenin IDH1 ATRX H3K27M Olig2 Hepatocyte Arginase-1 GPC3 CyclinD1'
).split(' ')
const plain = (text: string) => text.toUpperCase().replace(/[-_.\s&]/g, '')
const KNOWN = new Map(STAINS.map((stain) => [plain(stain), stain === 'H&E' ? 'HE' : stain]))
/** CD3, CD79a; CK, CK5/6, CK8/18. */
const NUMBERED = /^(CD\d{1,3}[a-z]?|CK(\d{1,2}(\/\d{1,2})?|pan)?)$/i
const BLOCK = /^[A-Z]\d{1,2}([-–]\d{1,2})?$/
const SAID = /(?:蜡块|块号|block)\s*[:：]?\s*([A-Z]?\d{1,2}[A-Z]?(?:[-–]\d{1,2})?|[A-Z])/i

const ENDING = /\.[a-z0-9]{2,7}$/i

function stainOf(words: string[]): string {
  for (const [i, word] of words.entries()) {
    // "Ki 67" and "PD L1" as well
    for (const text of [word + (words[i + 1] ?? ''), word]) {
      const known = KNOWN.get(plain(text))
      if (known) return known
      if (text === word && NUMBERED.test(word))
        return word.toUpperCase().replace(/(\d)([A-Z])$/, (_, n, l) => n + String(l).toLowerCase())
    }
  }
  return ''
}

export function readName(file: string): SlideName {
  const bare = file.replace(/(\.ome)?(\.[a-z0-9]{2,7})$/i, '').replace(ENDING, '')
  const words = bare.split(/[\s_,;，；、()（）[\]【】+.]+/).filter(Boolean)
  // parts of what hyphens join come after the whole: "Ki-67" before "A1-HE"
  const parts = words.flatMap((word) => (word.includes('-') ? [word, ...word.split('-')] : [word]))
  const stain = stainOf(words) || stainOf(parts)
  const said = SAID.exec(bare)?.[1]?.toUpperCase()
  const block = said ?? [...words, ...parts].find((word) => BLOCK.test(word) && !KNOWN.has(plain(word))) ?? ''
  return { block, stain }
}
