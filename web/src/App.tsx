// The frame around everything: colours, queries, confirmations; and who sees what: sign-in, forced password change, pages.
import { Center, Loader, MantineProvider, createTheme, localStorageColorSchemeManager, mergeThemeOverrides } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Problem, onSignedOut } from "./api/client";
import { useSession, useSessionChange } from "./api/session";
import { ChangePassword } from "./pages/ChangePassword";
import { SignIn } from "./pages/SignIn";
import { ConfirmProvider } from "./parts/Confirm";
import { Crash } from "./parts/Crash";
import { Failure } from "./parts/States";
import { Shell } from "./Shell";
import { theme } from "./theme";

// The server allows styles only with the nonce of this page (see Content-Security-Policy).
const nonce = document.querySelector<HTMLMetaElement>("meta[name=csp-nonce]")?.nonce ?? "";
// Where the part that keeps the page still behind a dialog looks for it.
Object.assign(globalThis, { __webpack_nonce__: nonce });

const client = new QueryClient({
	defaultOptions: {
		queries: {
			staleTime: 5_000,
			// What was refused will be refused again; what was not answered may be.
			retry: (failures, error) => failures < 2 && error instanceof Problem && (error.status === 0 || error.status >= 500),
		},
	},
});

function Gate() {
	const { t } = useTranslation();
	const { data: session, isPending, error, refetch } = useSession();
	const { ended } = useSessionChange();
	useEffect(() => onSignedOut(ended));
	if (isPending)
		return (
			<Center h="100vh">
				<Loader aria-label={t("forms.loading")} />
			</Center>
		);
	if (error) return <Failure error={error} retry={() => void refetch()} />;
	if (!session) return <SignIn />;
	if (session.password_change_due) return <ChangePassword />;
	return <Shell />;
}

// What Mantine says by itself, in the language of the console.
function useSpokenTheme() {
	const { t, i18n } = useTranslation();
	return useMemo(
		() => mergeThemeOverrides(theme, createTheme({ components: { CloseButton: { defaultProps: { "aria-label": t("forms.close") } } } })),
		[i18n.language],
	);
}

export function App() {
	return (
		<MantineProvider
			theme={useSpokenTheme()}
			defaultColorScheme="auto"
			colorSchemeManager={localStorageColorSchemeManager({ key: "carillon.scheme" })}
			getStyleNonce={() => nonce}
		>
			<Notifications position="bottom-right" autoClose={5000} />
			<QueryClientProvider client={client}>
				<Crash>
					<ConfirmProvider>
						<Gate />
					</ConfirmProvider>
				</Crash>
			</QueryClientProvider>
		</MantineProvider>
	);
}
