/* Which files are taken, by the server's own rules (consult/file/filetype.c), before a byte of them is read. */

/** Every ending that the server takes. */
export const ENDINGS =
  'pdf docx xlsx pptx doc xls ppt wps et dps rtf txt jpg jpeg png gif webp bmp heic heif jp2 j2k svs tif tiff ndpi scn bif zip dcm dicom ima xml scp ecg mp4'.split(
    ' ',
  )

/* CDs and archives export DICOM without an ending, or named by its UID: a file chooser that asks for endings hides them. */
const MAY_LACK_ENDINGS = ['pathology', 'imaging', 'ecg', 'other']

/* Slides of several files come in folders. */
const MAY_BE_FOLDERS = ['pathology', 'other']

/** Whether a folder can be chosen for a category. */
export const takesFolders = (category: string): boolean => MAY_BE_FOLDERS.includes(category)

/** What a file chooser offers for a category; nothing: whatever there is. */
export const acceptOf = (category: string): string | undefined =>
  MAY_LACK_ENDINGS.includes(category) ? undefined : ENDINGS.map((ending) => `.${ending}`).join(',')

/** IM000001, 1.2.840.113619.2.55.3: only its content can say what it is. */
const lacksEnding = (name: string) => !/\.[^.]*[^.\d][^.]*$/.test(name.replace(/^\./, ''))

/** DICOM files say so after 128 bytes that are anything. */
async function isDicom(file: Blob): Promise<boolean> {
  return (await file.slice(128, 132).text()) === 'DICM'
}

export async function isTaken(file: File, name = file.name): Promise<boolean> {
  if (lacksEnding(name)) return isDicom(file)
  return ENDINGS.includes(name.slice(name.lastIndexOf('.') + 1).toLowerCase())
}
