/** Closes what a test opened, last opened first, also when the test failed. Call once per `describe`. */
export function cleanUpAfterEach(): <T extends { close(): unknown }>(opened: T) => T {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const item of open.splice(0).reverse()) await item.close();
  });
  return (opened) => {
    open.push(opened);
    return opened;
  };
}
