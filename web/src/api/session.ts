// Who is signed in: read once at the start, and again whenever somebody signs in or out.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Problem, csrfTokenSet, request, type Schemas } from "./client";

export type Session = Schemas["Session"];
export type Role = Schemas["Role"];

const key = ["session"];

async function sessionGet(): Promise<Session | null> {
	try {
		const { data } = await request<Session>("GET", "/session");
		csrfTokenSet(data.csrf_token ?? null);
		return data;
	} catch (error) {
		if (error instanceof Problem && error.status === 401) return null;
		throw error;
	}
}

// null: nobody is signed in; undefined: not known yet.
export function useSession() {
	return useQuery({ queryKey: key, queryFn: sessionGet, staleTime: Infinity, retry: 2 });
}

// Of somebody who is signed in, for pages that are only shown then.
export function useSignedIn(): Session {
	const { data } = useSession();
	if (!data) throw new Error("nobody is signed in");
	return data;
}

export function useMayWrite(): boolean {
	return useSignedIn().role === "admin";
}

export function useSessionChange() {
	const client = useQueryClient();
	const forget = (session: Session | null) => {
		csrfTokenSet(session?.csrf_token ?? null);
		client.removeQueries({ predicate: (query) => query.queryKey[0] !== key[0] });
		client.setQueryData(key, session);
	};
	return {
		async signIn(name: string, password: string) {
			forget((await request<Session>("POST", "/session", { body: { name, password } })).data);
		},
		async signOut() {
			await request("DELETE", "/session");
			forget(null);
		},
		async signOutEverywhere() {
			await request("DELETE", "/me/sessions");
			forget(null);
		},
		async changePassword(password: string, newPassword: string) {
			await request("PUT", "/me/password", { body: { password, new_password: newPassword } });
			await client.invalidateQueries({ queryKey: key });
		},
		ended: () => forget(null),
	};
}
