import type { InjectionKey } from 'vue'

/** What is wrong with somebody's connection, as sentences; given by the room's page. */
export const qualityWords: InjectionKey<(participant: string) => string[]> = Symbol('quality words')
