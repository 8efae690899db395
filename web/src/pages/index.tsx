// Every page: its address, its place in the navigation, and who may open it. A new page is one line here.
import IconTeams from "@tabler/icons-react/icons/IconBrandTeams";
import IconBrowser from "@tabler/icons-react/icons/IconWorld";
import IconExternal from "@tabler/icons-react/icons/IconDeviceMobile";
import IconPhone from "@tabler/icons-react/icons/IconPhone";
import IconUsers from "@tabler/icons-react/icons/IconUsers";
import IconNumber from "@tabler/icons-react/icons/IconNumber123";
import IconRoute from "@tabler/icons-react/icons/IconRoute";
import IconTrunk from "@tabler/icons-react/icons/IconPlugConnected";
import type { ComponentType, LazyExoticComponent } from "react";
import { lazy } from "react";
import type { Role } from "../api/session";

export const sections = ["overview", "realtime", "manage", "devices", "outside", "reports", "system"] as const;

export interface PageEntry {
	path: string; // of wouter: /users/:id
	page: ComponentType | LazyExoticComponent<ComponentType>;
	roles: readonly Role[];
	navigation?: { section: (typeof sections)[number]; label: NavigationLabel; icon: ComponentType<{ size?: number }> };
}
export type NavigationLabel = "users" | "sipDevices" | "webrtcDevices" | "externalNumbers" | "teamsDevices" | "trunks" | "routes" | "dids";

const readers = ["admin", "auditor"] as const;

const UserList = lazy(() => import("./users/UserList"));
const UserPage = lazy(() => import("./users/UserPage"));
const DevicePage = lazy(() => import("./devices/DevicePage"));
const SipDevices = lazy(() => import("./devices/lists").then((all) => ({ default: all.SipDevices })));
const WebrtcDevices = lazy(() => import("./devices/lists").then((all) => ({ default: all.WebrtcDevices })));
const ExternalNumbers = lazy(() => import("./devices/lists").then((all) => ({ default: all.ExternalNumbers })));
const TeamsDevices = lazy(() => import("./devices/lists").then((all) => ({ default: all.TeamsDevices })));

const TrunkList = lazy(() => import("./outside/Trunks").then((all) => ({ default: all.TrunkList })));
const TrunkPage = lazy(() => import("./outside/Trunks").then((all) => ({ default: all.TrunkPage })));
const RouteList = lazy(() => import("./outside/Routes").then((all) => ({ default: all.RouteList })));
const RoutePage = lazy(() => import("./outside/Routes").then((all) => ({ default: all.RoutePage })));
const NumberList = lazy(() => import("./outside/Numbers").then((all) => ({ default: all.NumberList })));
const NumberPage = lazy(() => import("./outside/Numbers").then((all) => ({ default: all.NumberPage })));

export const pages: readonly PageEntry[] = [
	{ path: "/users", page: UserList, roles: readers, navigation: { section: "manage", label: "users", icon: IconUsers } },
	{ path: "/users/new", page: UserPage, roles: ["admin"] },
	{ path: "/users/:id", page: UserPage, roles: readers },
	{
		path: "/devices/sip",
		page: SipDevices,
		roles: readers,
		navigation: { section: "devices", label: "sipDevices", icon: IconPhone },
	},
	{
		path: "/devices/webrtc",
		page: WebrtcDevices,
		roles: readers,
		navigation: { section: "devices", label: "webrtcDevices", icon: IconBrowser },
	},
	{
		path: "/devices/external",
		page: ExternalNumbers,
		roles: readers,
		navigation: { section: "devices", label: "externalNumbers", icon: IconExternal },
	},
	{
		path: "/devices/teams",
		page: TeamsDevices,
		roles: readers,
		navigation: { section: "devices", label: "teamsDevices", icon: IconTeams },
	},
	{ path: "/trunks", page: TrunkList, roles: readers, navigation: { section: "outside", label: "trunks", icon: IconTrunk } },
	{ path: "/trunks/new", page: TrunkPage, roles: ["admin"] },
	{ path: "/trunks/:id", page: TrunkPage, roles: readers },
	{ path: "/routes", page: RouteList, roles: readers, navigation: { section: "outside", label: "routes", icon: IconRoute } },
	{ path: "/routes/new", page: RoutePage, roles: ["admin"] },
	{ path: "/routes/:id", page: RoutePage, roles: readers },
	{ path: "/numbers", page: NumberList, roles: readers, navigation: { section: "outside", label: "dids", icon: IconNumber } },
	{ path: "/numbers/new", page: NumberPage, roles: ["admin"] },
	{ path: "/numbers/:id", page: NumberPage, roles: readers },
	{ path: "/devices/:group/new", page: DevicePage, roles: ["admin"] },
	{ path: "/devices/:group/:id", page: DevicePage, roles: readers },
];

// Where somebody lands after signing in.
export function homeOf(role: Role): string {
	return role === "agent" ? "/password" : "/users";
}
