/** Stands in for a page that could not be shown; the rest of the window lives on. */
import { type ErrorComponentProps } from "@tanstack/react-router";

import { Failure } from "../kit/ErrorPanel";
import { Page, Section } from "../kit/Page";

const LOAD_FAILED = /dynamically imported module|Importing a module script failed|Failed to fetch/;

export function PageFailed({ error, reset }: ErrorComponentProps) {
  const gone = LOAD_FAILED.test(String(error));
  return (
    <Page title="This page failed">
      <Section>
        <Failure
          title={gone ? "A part of the page could not be loaded; the server may have been updated." : "The page broke."}
          error={error}
          onRetry={gone ? () => window.location.reload() : reset}
        />
      </Section>
    </Page>
  );
}
