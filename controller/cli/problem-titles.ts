/** Every code of a problem with its title, wherever in the program it is found. Loaded when it is asked for. */
export async function problemTitles(): Promise<Readonly<Record<string, string>>> {
  const [{ problemTable }, { sourceProblemTitles }, { combineProblemTitles }] = await Promise.all([
    import('../decode/problems.js'),
    import('../git/problems.js'),
    import('../decode/combine-revisions.js'),
  ]);
  return {
    ...sourceProblemTitles,
    ...combineProblemTitles,
    ...Object.fromEntries(Object.entries(problemTable).map(([code, { title }]) => [code, title])),
  };
}
