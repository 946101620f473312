"""A drop-in that has use for forty modules of the standard library, in all its corners."""

import argparse
import asyncio
import bz2
import calendar
import cmath
import configparser
import csv
import ctypes
import curses
import dbm
import decimal
import difflib
import email.mime.text
import fractions
import ftplib
import gettext
import graphlib
import gzip
import html.parser
import imaplib
import ipaddress
import lzma
import mailbox
import mimetypes
import multiprocessing.pool
import optparse
import pickle
import plistlib
import poplib
import pprint
import secrets
import shelve
import smtplib
import sqlite3
import statistics
import tarfile
import tomllib
import unicodedata
import uuid
import wave
import wsgiref.simple_server
import xml.etree.ElementTree as ET
import xmlrpc.client
import zipfile
import zoneinfo

from clusterf.model.service import Facts, Service
from clusterf.plugin import Context, PolicyType, Settings, hookimpl

CLUSTERF_API = "1.0"

MODULES = (
    *(argparse, asyncio, bz2, calendar, cmath, configparser, csv, ctypes, curses, dbm, decimal),
    *(difflib, email.mime.text, fractions, ftplib, gettext, graphlib, gzip, html.parser, imaplib),
    *(ipaddress, lzma, mailbox, mimetypes, multiprocessing.pool, optparse, pickle, plistlib),
    *(poplib, pprint, secrets, shelve, smtplib, sqlite3, statistics, tarfile, tomllib),
    *(unicodedata, uuid, wave, wsgiref.simple_server, ET, xmlrpc.client, zipfile, zoneinfo),
)


class TrialModules:
    """Does nothing; its modules have done something."""

    def __init__(self, settings: Settings, context: Context) -> None:
        pass

    def apply(self, service: Service, facts: Facts) -> Service:  # noqa: ARG002 - the API's shape
        """Leave everything as it is."""
        return service


def use() -> str:
    """Libraries behind the modules are there, too, and work."""
    with sqlite3.connect(":memory:") as database:
        [[version]] = database.execute("select sqlite_version()")
    database.close()
    assert lzma.decompress(lzma.compress(b"x")) == bz2.decompress(bz2.compress(b"x")) == b"x"
    assert ET.fromstring("<a><b/></a>").find("b") is not None  # noqa: S314 - our own text
    assert str(decimal.Decimal(1) / 3).startswith("0.333")
    return f"{len(MODULES)} modules, SQLite {version}"


@hookimpl
def clusterf_register_policies() -> list[PolicyType[Settings]]:
    """One policy, whose summary shows that the modules work."""
    return [PolicyType(name="modules", settings=Settings, create=TrialModules, summary=use())]
