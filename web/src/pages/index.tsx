// Every page: its address, its place in the navigation, and who may open it. A new page is one line here.
import IconTeams from "@tabler/icons-react/icons/IconBrandTeams";
import IconBrowser from "@tabler/icons-react/icons/IconWorld";
import IconExternal from "@tabler/icons-react/icons/IconDeviceMobile";
import IconPhone from "@tabler/icons-react/icons/IconPhone";
import IconDashboard from "@tabler/icons-react/icons/IconLayoutDashboard";
import IconCalls from "@tabler/icons-react/icons/IconPhoneCall";
import IconRegistrations from "@tabler/icons-react/icons/IconPlugConnected";
import IconRecords from "@tabler/icons-react/icons/IconHistory";
import IconSignIns from "@tabler/icons-react/icons/IconLogin";
import IconHome from "@tabler/icons-react/icons/IconHome";
import IconAudit from "@tabler/icons-react/icons/IconListDetails";
import IconSettings from "@tabler/icons-react/icons/IconSettings";
import IconPrompts from "@tabler/icons-react/icons/IconMicrophone";
import IconTokens from "@tabler/icons-react/icons/IconKey";
import IconImport from "@tabler/icons-react/icons/IconFileImport";
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
export type NavigationLabel =
	| "dashboard"
	| "calls"
	| "registrations"
	| "signIns"
	| "callRecords"
	| "audit"
	| "settings"
	| "tokens"
	| "prompts"
	| "myPhone"
	| "import" | "users" | "sipDevices" | "webrtcDevices" | "externalNumbers" | "teamsDevices" | "trunks" | "routes" | "dids";

const readers = ["admin", "auditor"] as const;
const everybody = ["admin", "agent", "auditor"] as const;

const Account = lazy(() => import("./Account"));
const Home = lazy(() => import("./Home"));
const Audit = lazy(() => import("./Audit"));
const Settings = lazy(() => import("./system/Settings"));
const Prompts = lazy(() => import("./system/Prompts"));
const Tokens = lazy(() => import("./system/Tokens"));
const Dashboard = lazy(() => import("./Dashboard"));
const Calls = lazy(() => import("./realtime/Calls"));
const Registrations = lazy(() => import("./realtime/Registrations"));
const SignIns = lazy(() => import("./SignIns"));
const RecordList = lazy(() => import("./records/RecordList"));
const Record = lazy(() => import("./records/Record"));
const Import = lazy(() => import("./Import"));
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
const TryNumber = lazy(() => import("./outside/TryNumber"));
const NumberPage = lazy(() => import("./outside/Numbers").then((all) => ({ default: all.NumberPage })));

export const pages: readonly PageEntry[] = [
	{ path: "/me", page: Home, roles: everybody, navigation: { section: "overview", label: "myPhone", icon: IconHome } },
	{ path: "/account", page: Account, roles: everybody },
	{ path: "/overview", page: Dashboard, roles: readers, navigation: { section: "overview", label: "dashboard", icon: IconDashboard } },
	{ path: "/calls", page: Calls, roles: readers, navigation: { section: "realtime", label: "calls", icon: IconCalls } },
	{
		path: "/registrations",
		page: Registrations,
		roles: readers,
		navigation: { section: "realtime", label: "registrations", icon: IconRegistrations },
	},
	{ path: "/sign-ins", page: SignIns, roles: readers, navigation: { section: "realtime", label: "signIns", icon: IconSignIns } },
	{ path: "/call-records", page: RecordList, roles: readers, navigation: { section: "reports", label: "callRecords", icon: IconRecords } },
	{ path: "/call-records/:id", page: Record, roles: readers },
	{ path: "/users", page: UserList, roles: readers, navigation: { section: "manage", label: "users", icon: IconUsers } },
	{ path: "/users/new", page: UserPage, roles: ["admin"] },
	{ path: "/users/:id", page: UserPage, roles: readers },
	{ path: "/import", page: Import, roles: ["admin"], navigation: { section: "manage", label: "import", icon: IconImport } },
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
	{ path: "/numbers/try", page: TryNumber, roles: readers },
	{ path: "/numbers/:id", page: NumberPage, roles: readers },
	{ path: "/devices/:group/new", page: DevicePage, roles: ["admin"] },
	{ path: "/devices/:group/:id", page: DevicePage, roles: readers },
	{ path: "/audit", page: Audit, roles: readers, navigation: { section: "system", label: "audit", icon: IconAudit } },
	{ path: "/settings", page: Settings, roles: readers, navigation: { section: "system", label: "settings", icon: IconSettings } },
	{ path: "/prompts", page: Prompts, roles: readers, navigation: { section: "system", label: "prompts", icon: IconPrompts } },
	{ path: "/tokens", page: Tokens, roles: readers, navigation: { section: "system", label: "tokens", icon: IconTokens } },
];

// Where somebody lands after signing in.
export function homeOf(role: Role): string {
	return role === "agent" ? "/me" : "/overview";
}
