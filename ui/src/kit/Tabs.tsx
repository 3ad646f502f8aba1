/** Tabs whose choice is kept by the page (in its address). Only the chosen panel is in the page. */
import { type ReactNode } from "react";
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from "react-aria-components";

import css from "./Tabs.module.css";

export interface TabItem {
  id: string;
  label: ReactNode;
  /** Stands beside the label: a number, or one in words where it is not known in full. */
  count?: number | string | undefined;
}

interface TabsProps {
  /** What the tabs choose between. */
  label: string;
  items: readonly TabItem[];
  selected: string;
  onSelect: (id: string) => void;
  /** Stands at the right end of the bar. */
  actions?: ReactNode;
  /** The chosen tab's content. */
  children: ReactNode;
  /** The content fills the height that is left, and scrolls within itself. */
  fill?: boolean;
}

export function Tabs({ label, items, selected, onSelect, actions, children, fill = false }: TabsProps) {
  const chosen = items.some((item) => item.id === selected) ? selected : (items[0]?.id ?? "");
  return (
    <AriaTabs
      className={(fill ? css.fill : css.tabs) ?? ""}
      selectedKey={chosen}
      onSelectionChange={(key) => onSelect(String(key))}
    >
      <div className={css.bar}>
        <TabList aria-label={label} className={css.list ?? ""} items={items} dependencies={[items, chosen]}>
          {(item) => (
            <Tab ref={item.id === chosen ? showTab : null} id={item.id} className={css.tab ?? ""}>
              {item.label}
              {item.count === undefined ? null : <span className={css.count}>{typeof item.count === "number" ? item.count.toLocaleString("en") : item.count}</span>}
            </Tab>
          )}
        </TabList>
        {actions === undefined ? null : <div className={css.actions}>{actions}</div>}
      </div>
      <TabPanel key={chosen} id={chosen} className={css.panel ?? ""}>
        {children}
      </TabPanel>
    </AriaTabs>
  );
}

/** Scrolls a bar that has too little room to its chosen tab. */
function showTab(tab: HTMLElement | null): void {
  tab?.scrollIntoView({ block: "nearest", inline: "nearest" });
}
