/** The page for addresses that lead nowhere. */
import { Button } from "../kit/Button";
import { Empty } from "../kit/Empty";
import { Page } from "../kit/Page";
import { links } from "../links";
import { useGo } from "../services/navigation";

export function NotFound() {
  const go = useGo();
  return (
    <Page title="Page not found">
      <Empty
        title="There is no page at this address"
        icon="search"
        action={
          <Button variant="primary" onPress={() => go(links.overview())}>
            Go to the overview
          </Button>
        }
      >
        Check <code>{window.location.pathname}</code>, or press <kbd>/</kbd> to search for what you want.
      </Empty>
    </Page>
  );
}
