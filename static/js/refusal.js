// Why the server refused: the sentence in its answer, or the status where there is none.

export async function refusal(response) {
  const status = `the server answered ${response.status}`;
  try {
    return (await response.json()).error || status;
  } catch {
    return status;
  }
}
