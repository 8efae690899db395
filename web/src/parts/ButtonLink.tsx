// A link that looks like a button: it can be opened in another tab.
import { Button, type ButtonProps } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";

export function ButtonLink({ href, children, ...rest }: ButtonProps & { href: string; children: ReactNode }) {
	return (
		<Button component={Link} href={href} {...rest}>
			{children}
		</Button>
	);
}
