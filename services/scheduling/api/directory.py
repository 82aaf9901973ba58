"""Reads and searches of the clinic's directory."""

from fastapi import APIRouter

from shared.http.directory_reads import add_directory_reads

router = APIRouter()
add_directory_reads(router)
