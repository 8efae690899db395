// What surrounds every page of somebody who is signed in: header, navigation, and the page itself.
import { Alert, AppShell, Burger, Center, Group, Loader, Menu, NavLink, ScrollArea, Stack, Text, UnstyledButton } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import IconDown from "@tabler/icons-react/icons/IconChevronDown";
import IconAccount from "@tabler/icons-react/icons/IconUserCog";
import IconLock from "@tabler/icons-react/icons/IconLock";
import IconLost from "@tabler/icons-react/icons/IconPlugConnectedX";
import IconOut from "@tabler/icons-react/icons/IconLogout";
import IconWhere from "@tabler/icons-react/icons/IconZoomQuestion";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, Redirect, Route, Router, Switch, useLocation } from "wouter";
import type { AroundNavHandler } from "wouter";
import { EventsProvider, useLive } from "./api/events";
import { useMe } from "./api/me";
import { useSessionChange, useSignedIn } from "./api/session";
import { homeOf, pages, sections } from "./pages";
import { AgentBar, LeaseWarning } from "./parts/AgentBar";
import { Choices } from "./parts/Choices";
import { useConfirm } from "./parts/Confirm";
import { Crash } from "./parts/Crash";
import { Logo } from "./parts/Logo";
import { Message } from "./parts/States";
import { ButtonLink } from "./parts/ButtonLink";
import { somethingIsUnsaved, unsavedForget } from "./parts/unsaved";
import classes from "./Shell.module.css";

function Navigation({ close }: { close: () => void }) {
	const { t } = useTranslation();
	const [at] = useLocation();
	const { role } = useSignedIn();
	return (
		<Stack gap="lg">
			{sections.map((section) => {
				const entries = pages.filter((each) => each.navigation?.section === section && each.roles.includes(role));
				if (entries.length === 0) return null;
				return (
					<Stack key={section} gap={2} component="section" aria-labelledby={`section-${section}`}>
						<Text id={`section-${section}`} className={classes.section}>
							{t(`shell.${section}`)}
						</Text>
						{entries.map(({ path, navigation }) => {
							const Icon = navigation?.icon ?? IconWhere;
							const here = at === path || at.startsWith(`${path}/`);
							return (
								<NavLink
									key={path}
									component={Link}
									href={path}
									onClick={close}
									active={here}
									aria-current={here ? "page" : undefined}
									label={navigation && t(`shell.${navigation.label}`)}
									leftSection={<Icon size={18} />}
									className={classes.link}
								/>
							);
						})}
					</Stack>
				);
			})}
		</Stack>
	);
}

const NavbarPhone = lazy(() => import("./phone/Phone"));

// For whoever has a browser device; it stays for calls that outlive it.
function BrowserPhone() {
	const { data: me } = useMe();
	const [had, setHad] = useState(false);
	const has = me?.devices.some((device) => device.kind === "webrtc") ?? false;
	if (has && !had) setHad(true);
	if (!had) return null;
	return (
		<Suspense fallback={null}>
			<NavbarPhone />
		</Suspense>
	);
}

function Account() {
	const { t } = useTranslation();
	const { user } = useSignedIn();
	const { signOut } = useSessionChange();
	return (
		<Menu position="bottom-end" withinPortal={false} width={220}>
			<Menu.Target>
				<UnstyledButton className={classes.account} aria-label={t("shell.account", { name: user.title ?? "" })}>
					<Group gap={8} wrap="nowrap">
						<span className={classes.initials} data-initial={(user.title || user.name || "?").slice(0, 1).toUpperCase()} aria-hidden />
						<Text size="sm" fw={550} visibleFrom="sm" truncate maw={180}>
							{user.title}
						</Text>
						<IconDown size={14} />
					</Group>
				</UnstyledButton>
			</Menu.Target>
			<Menu.Dropdown>
				<Menu.Label>{t("shell.extension", { extension: user.extension ?? "" })}</Menu.Label>
				<Menu.Item component={Link} href="/account" leftSection={<IconAccount size={16} />}>
					{t("account.title")}
				</Menu.Item>
				<Menu.Item leftSection={<IconOut size={16} />} onClick={() => void signOut()}>
					{t("shell.signOut")}
				</Menu.Item>
			</Menu.Dropdown>
		</Menu>
	);
}

function NotFound() {
	const { t } = useTranslation();
	return (
		<Message title={t("shell.notFound")} text={t("shell.notFoundText")} icon={<IconWhere size={32} />}>
			<ButtonLink href="/">{t("shell.home")}</ButtonLink>
		</Message>
	);
}

function NotAllowed() {
	const { t } = useTranslation();
	return (
		<Message title={t("shell.notForYou")} text={t("shell.notForYouText")} icon={<IconLock size={32} />}>
			<ButtonLink href="/">{t("shell.home")}</ButtonLink>
		</Message>
	);
}

function Pages() {
	const { t } = useTranslation();
	const { role } = useSignedIn();
	const waiting = (
		<Center py={96}>
			<Loader aria-label={t("forms.loading")} />
		</Center>
	);
	return (
		<Suspense fallback={waiting}>
			<Switch>
				<Route path="/">
					<Redirect to={homeOf(role)} replace />
				</Route>
				{pages.map(({ path, page: Page, roles }) => (
					<Route key={path} path={path}>
						<Crash key={path}>{roles.includes(role) ? <Page /> : <NotAllowed />}</Crash>
					</Route>
				))}
				<Route>
					<NotFound />
				</Route>
			</Switch>
		</Suspense>
	);
}

// Leaving a form with unsaved changes asks first.
function useGuardedNavigation(): AroundNavHandler {
	const { t } = useTranslation();
	const confirm = useConfirm();
	return (navigate, to, options) => {
		const sameForm = new URL(String(to), location.href).pathname === location.pathname;
		if (!somethingIsUnsaved() || sameForm) return navigate(to, options);
		void confirm({ title: t("forms.leave.title"), text: t("forms.leave.text"), button: t("forms.leave.button") }).then((agreed) => {
			if (!agreed) return;
			unsavedForget();
			navigate(to, options);
		});
	};
}

// Said while no events arrive: what is shown may be old.
function Connection() {
	const { t } = useTranslation();
	const live = useLive();
	return (
		<div role="status">
			{!live && (
				<Alert color="orange" variant="light" icon={<IconLost />} mb="md" py="xs">
					{t("status.disconnected")}
				</Alert>
			)}
		</div>
	);
}

export function Shell() {
	const aroundNav = useGuardedNavigation();
	return (
		<Router aroundNav={aroundNav}>
			<Frame />
		</Router>
	);
}

function Frame() {
	const { t } = useTranslation();
	const [opened, { toggle, close }] = useDisclosure();
	return (
		<EventsProvider>
			<a className="skip" href="#content">
				{t("shell.skip")}
			</a>
			<AppShell
				header={{ height: 56 }}
				navbar={{ width: 244, breakpoint: "md", collapsed: { mobile: !opened } }}
				padding={0}
			>
				<AppShell.Header className={classes.header}>
					<Group h="100%" px="md" justify="space-between" wrap="nowrap">
						<Group gap="sm" wrap="nowrap">
							<Burger opened={opened} onClick={toggle} hiddenFrom="md" size="sm" aria-label={t("shell.menu")} />
							<Link href="/" className={classes.brand} aria-label={t("shell.name")}>
								<Logo size={30} />
								<span>{t("shell.name")}</span>
							</Link>
						</Group>
						<Group gap={6} wrap="nowrap">
							<BrowserPhone />
							<AgentBar />
							<Choices />
							<Account />
						</Group>
					</Group>
				</AppShell.Header>
				<AppShell.Navbar className={classes.navbar} aria-label={t("shell.menu")}>
					<ScrollArea type="auto" flex={1} p="sm">
						<Navigation close={close} />
					</ScrollArea>
				</AppShell.Navbar>
				<AppShell.Main id="content" tabIndex={-1} className={classes.main}>
					<div className={classes.content}>
						<Connection />
						<LeaseWarning />
						<Pages />
					</div>
				</AppShell.Main>
			</AppShell>
		</EventsProvider>
	);
}
