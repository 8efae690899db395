// What trunks, routes and numbers have in common: a page that loads one entry, lets it be edited, and saves it.
import { Center, Loader } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import IconGone from "@tabler/icons-react/icons/IconZoomQuestion";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useLocation, useParams, useSearch } from "wouter";
import { Problem, request } from "../../api/client";
import { entityGet, refresh, useEntity, type Resources } from "../../api/resources";
import { useMayWrite } from "../../api/session";
import { ButtonLink } from "../../parts/ButtonLink";
import { Conflict, FormPage } from "../../parts/FormPage";
import { Failure, Message } from "../../parts/States";
import { unsavedForget } from "../../parts/unsaved";
import { useEditor, type Editor } from "../../parts/useEditor";

interface SimplePageProps<R extends "trunks" | "routes" | "dids", V extends object> {
	resource: R;
	list: { href: string; label: string };
	blank: V;
	valueOf: (entity: Resources[R]) => V;
	bodyOf: (value: Partial<V>) => object;
	nameOf: (value: V) => string;
	forClone: Partial<V>; // what a clone must be given anew
	newTitle: string;
	labels: Partial<Record<keyof V & string, string>>;
	show?: (name: keyof V & string, value: unknown) => string;
	fields: (form: Editor<V>, isNew: boolean, entity: Resources[R] | undefined) => ReactNode;
}

export function SimplePage<R extends "trunks" | "routes" | "dids", V extends object>(props: SimplePageProps<R, V>) {
	const { t } = useTranslation();
	const { id } = useParams<{ id?: string }>();
	const cloneId = new URLSearchParams(useSearch()).get("clone") ?? undefined;
	const source = id ?? cloneId;
	const { data, error, refetch } = useEntity(props.resource, source);
	if (source && error instanceof Problem && error.status === 404)
		return (
			<Message title={t("forms.gone")} text={t("forms.goneText")} icon={<IconGone size={32} />}>
				<ButtonLink href={props.list.href}>{t("forms.back")}</ButtonLink>
			</Message>
		);
	if (error) return <Failure error={error} title={t("forms.failed")} retry={() => void refetch()} />;
	if (source && !data)
		return (
			<Center py={96}>
				<Loader aria-label={t("forms.loading")} />
			</Center>
		);
	return (
		<SimpleForm
			key={source ?? "new"}
			{...props}
			entity={id ? data?.data : undefined}
			etagRead={id ? (data?.etag ?? null) : null}
			original={id ? undefined : data?.data}
		/>
	);
}

function SimpleForm<R extends "trunks" | "routes" | "dids", V extends object>(
	props: SimplePageProps<R, V> & { entity: Resources[R] | undefined; etagRead: string | null; original: Resources[R] | undefined },
) {
	const { resource, list, valueOf, bodyOf, nameOf, labels, entity, etagRead, original } = props;
	const { t } = useTranslation();
	const [, navigate] = useLocation();
	const client = useQueryClient();
	const start = useMemo(
		(): V => (entity ? valueOf(entity) : original ? { ...valueOf(original), ...props.forClone } : props.blank),
		[entity, original],
	);
	const form = useEditor<V>(start, !useMayWrite());
	const etag = useRef(etagRead);
	const [theirs, setTheirs] = useState<V | null>(null);
	useEffect(() => {
		if (!entity || etagRead === etag.current || form.dirty) return;
		etag.current = etagRead;
		form.reset(valueOf(entity));
	});
	useEffect(() => {
		if (!form.stale || !entity) return;
		void entityGet(resource, entity.id).then((answer) => {
			etag.current = answer.etag;
			setTheirs(valueOf(answer.data));
		});
	}, [form.stale, entity]);
	const write = async (changes: Partial<V>) => {
		if (entity) {
			const answer = await request<Resources[R]>("PATCH", `/${resource}/${entity.id}`, { body: bodyOf(changes), etag: etag.current });
			etag.current = answer.etag;
			form.reset(valueOf(answer.data));
		} else {
			await request("POST", `/${resource}`, { body: bodyOf(form.value) });
			unsavedForget();
			form.reset(form.value);
		}
		notifications.show({ message: t(entity ? "forms.saved" : "forms.created", { name: nameOf(form.value) }), color: "teal" });
		await refresh(client, resource);
		if (!entity) navigate(list.href);
	};
	return (
		<FormPage
			title={entity ? nameOf(start) : props.newTitle}
			list={list}
			form={form}
			isNew={!entity}
			save={() => form.attempt(() => write(form.changes))}
			conflict={
				<Conflict
					form={form}
					theirs={theirs}
					labels={labels}
					{...(props.show ? { show: props.show } : {})}
					keepMine={() => {
						if (!theirs) return;
						const { changes } = form;
						form.rebase(theirs, { ...theirs, ...changes });
						void form.attempt(() => write(changes));
					}}
				/>
			}
		>
			{props.fields(form, !entity, entity)}
		</FormPage>
	);
}
